"""The files of a job: its results, summary, tracks and video."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import msgspec

from video_jobs_client.errors import DownloadError
from video_jobs_client.models import VideoSummary
from video_jobs_client.protocol.calls import Calls
from video_jobs_client.protocol.effects import Steps

File = Literal["results", "summary", "tracks", "video"]
"""A file of a job, as it is stored."""


def summary_of(calls: Calls, job_id: str) -> Steps[VideoSummary]:
    """The summary, from the answer or from its file."""
    answer = yield from calls.summary(job_id)
    if answer.summary is not None:
        return answer.summary
    return msgspec.json.decode((yield from calls.download(answer.summary_url)), type=VideoSummary)


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
        url = (yield from calls.results_page(job_id, {"limit": "1"}))["results_url"]
    else:
        answer = yield from calls.summary(job_id)
        url = answer.summary_url if file == "summary" else answer.tracks_url
    if not isinstance(url, str):
        raise DownloadError(f"Job {job_id} has no file of its {file}")
    return url
