"""The client of ForgeSyte Video Jobs: submit videos, wait, and use what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from video_jobs_client.async_client import AsyncClient
    from video_jobs_client.async_jobs import AsyncJob
    from video_jobs_client.client import Client
    from video_jobs_client.errors import ApiError, JobFailedError, ResultsError, VideoJobsClientError
    from video_jobs_client.jobs import Job
    from video_jobs_client.protocol.retries import Retries
    from video_jobs_client.results import Detection, Frame, Results, Word
    from video_jobs_client.summary import Summary
    from video_jobs_client.uploads import UploadSettings

__all__ = [
    "ApiError",
    "AsyncClient",
    "AsyncJob",
    "Client",
    "Detection",
    "Frame",
    "Job",
    "JobFailedError",
    "Results",
    "ResultsError",
    "Retries",
    "Summary",
    "UploadSettings",
    "VideoJobsClientError",
    "Word",
]
_MODULES = {
    "async_client": ("AsyncClient",),
    "async_jobs": ("AsyncJob",),
    "client": ("Client",),
    "errors": ("ApiError", "JobFailedError", "ResultsError", "VideoJobsClientError"),
    "jobs": ("Job",),
    "protocol.retries": ("Retries",),
    "results": ("Detection", "Frame", "Results", "Word"),
    "summary": ("Summary",),
    "uploads": ("UploadSettings",),
}


def __getattr__(name: str) -> object:
    """Names are imported when they are used, so that a command that needs few of them starts at once."""
    from importlib import import_module

    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
