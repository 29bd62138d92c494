"""The files of a job: its results, summary, tracks and video."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from video_jobs_client.errors import DownloadError
from video_jobs_client.models import VideoSummary
from video_jobs_client.models.base import NOT_AS_EXPECTED
from video_jobs_client.protocol.calls import Calls
from video_jobs_client.protocol.effects import Steps
from video_jobs_client.summary import video_summary

File = Literal["results", "summary", "tracks", "video"]
"""A file of a job, as it is stored."""


def summary_of(calls: Calls, job_id: str) -> Steps[VideoSummary]:
    """The summary, from the answer or from its file.

    Raises
    ------
    ResultsError
        If it is of a version that this package does not know.
    """
    answer = yield from calls.summary(job_id)
    if (told := answer["summary"]) is None:
        content = yield from calls.download(_url_in(answer, "summary", job_id))
        try:
            told = msgspec.json.decode(content, type=dict[str, Any])
        except NOT_AS_EXPECTED as error:
            raise DownloadError(f"What was downloaded is no summary ({error}); try again") from None
    return video_summary(told)


def downloaded(calls: Calls, job_id: str, file: File, target: str | os.PathLike[str]) -> Steps[Path]:
    """Download a file of a job; gives its path."""
    path = Path(target)
    url = yield from _url_of(calls, job_id, file)
    yield from calls.download(url, path)
    return path


def _url_of(calls: Calls, job_id: str, file: File) -> Steps[str]:
    if file == "video":
        return (yield from calls.video(job_id)).video_url
    if file == "results":
        return _url_in((yield from calls.results_page(job_id, {"limit": "1"})), file, job_id)
    return _url_in((yield from calls.summary(job_id)), file, job_id)


def _url_in(answer: Mapping[str, Any], file: File, job_id: str) -> str:
    url = answer.get(f"{file}_url")
    if not isinstance(url, str):
        raise DownloadError(f"Job {job_id} has no file of its {file}")
    return url
