"""docs/errors.md, from the error classes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from video_jobs.domain import errors
from video_jobs.domain.errors import PermanentJobError, TransientError, VideoJobsError
from video_jobs.use_cases.owner import CANCELLED
from video_jobs.use_cases.upkeep import DEAD_LETTER, UPLOAD_EXPIRED

from functions.video_api.problems import STATUS_OF_ERROR, status_of
from tools.markdown_writer import code, table

_HEAD = """# Errors

Made by `make docs` from `video_jobs/domain/errors.py`; a test compares them.

## Answers of the API

Every error that the functions answer is `application/problem+json` (RFC 9457) with `detail` (what is wrong
and what to do), `code` (a stable word) and `request_id`. What API Gateway itself answers (401 and 403 without
a valid token, 413 above 10 MB, 429 when throttled without a `code`, 503) is `{"message": "..."}`.
"""
_FAILED = """## Why a job failed

`error.code` and `error.message` of the job, `error_message` of its status.
"""
_OF_THE_SERVICE = {
    CANCELLED: "The job was cancelled",
    UPLOAD_EXPIRED.code: UPLOAD_EXPIRED.message,
    "worker_crashed": "The job was given up: several workers died on it. Convert the video.",
    TransientError.code: "The job failed several times, at last for want of another service; try it later",
    DEAD_LETTER.code: DEAD_LETTER.message,
}


def errors_document() -> str:
    """The whole page."""
    answered = [
        kind
        for kind in _classes(VideoJobsError)
        if kind is VideoJobsError or any(base in STATUS_OF_ERROR for base in kind.__mro__)
    ]
    ordered = sorted(answered, key=lambda kind: (status_of(kind()), kind.code))
    answers = [[status_of(kind()).value, code(kind.code), kind().message] for kind in ordered]
    answers.append([404, code("route_not_found"), "There is no such route"])
    invalid: list[type[VideoJobsError]] = [errors.InvalidVideoError, errors.VideoTooLargeError]
    reasons = {
        kind.code: kind().message for kind in chain(_classes(PermanentJobError), invalid)
    } | _OF_THE_SERVICE
    rows = ([code(name), message] for name, message in sorted(reasons.items()))
    answer_table = table(["status", "code", "detail, unless it says more"], answers)
    return "\n".join([_HEAD, answer_table, _FAILED, table(["code", "message, unless it says more"], rows)])


def _classes(base: type[VideoJobsError]) -> Iterator[type[VideoJobsError]]:
    yield base
    for kind in base.__subclasses__():
        yield from _classes(kind)
