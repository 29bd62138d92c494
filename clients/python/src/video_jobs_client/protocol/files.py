"""The files of a job: its results, summary, tracks and video."""

from __future__ import annotations

import mmap
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from video_jobs_client.errors import DownloadError
from video_jobs_client.files import is_stream
from video_jobs_client.models import VideoSummary
from video_jobs_client.models.base import NOT_AS_EXPECTED
from video_jobs_client.protocol.calls import Calls
from video_jobs_client.protocol.effects import Steps, WrittenCheck
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
    """Download a file of a job; gives its path.

    Raises
    ------
    DownloadError
        If the storage does not give all of it.
    """
    path = Path(target)
    if file == "video":
        video = yield from calls.video(job_id)
        yield from calls.download(video.video_url, path, _size_check(video.size_bytes))
    else:
        yield from calls.download((yield from _url_of(calls, job_id, file)), path, _check_json)
    return path


def _size_check(wanted_bytes: int) -> WrittenCheck:
    def check(_: Path, size_bytes: int) -> None:
        if size_bytes != wanted_bytes:
            raise DownloadError(
                f"The storage gave {size_bytes} bytes of a video with {wanted_bytes}; try again"
            )

    return check


def _check_json(path: Path, size_bytes: int) -> None:
    if not size_bytes:
        raise DownloadError("The storage gave an empty file; try again")
    if is_stream(path):
        return  # what was written to it cannot be read again
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        try:
            msgspec.json.decode(content, type=dict[str, msgspec.Raw])
        except NOT_AS_EXPECTED as error:
            raise DownloadError(f"The storage did not give the whole file ({error}); try again") from None


def _url_of(calls: Calls, job_id: str, file: File) -> Steps[str]:
    if file == "results":
        return _url_in((yield from calls.results_page(job_id, {"limit": "1"})), file, job_id)
    return _url_in((yield from calls.summary(job_id)), file, job_id)


def _url_in(answer: Mapping[str, Any], file: File, job_id: str) -> str:
    url = answer.get(f"{file}_url")
    if not isinstance(url, str):
        raise DownloadError(f"Job {job_id} has no file of its {file}")
    return url
