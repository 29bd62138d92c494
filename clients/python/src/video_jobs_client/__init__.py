"""The client of ForgeSyte Video Jobs: submit videos, wait, and use what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from video_jobs_client.errors import ApiError, JobFailedError, ResultsError, VideoJobsClientError
from video_jobs_client.results import Detection, Frame, Results, Word
from video_jobs_client.summary import Summary

if TYPE_CHECKING:
    from video_jobs_client.async_client import AsyncClient, AsyncJob
    from video_jobs_client.client import Client, Job

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
    "Summary",
    "VideoJobsClientError",
    "Word",
]
_MODULES = {"AsyncClient": "async_client", "AsyncJob": "async_client", "Client": "client", "Job": "client"}


def __getattr__(name: str) -> object:
    """What needs the HTTP library is imported when it is used, so that exports start at once."""
    from importlib import import_module

    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
