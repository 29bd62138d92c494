"""Wait until a job has ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from video_jobs_client.errors import JobFailedError, UnknownStatusError, WaitTimeoutError
from video_jobs_client.models import JobResource, JobStatus
from video_jobs_client.protocol.answers import model_of
from video_jobs_client.protocol.calls import Calls
from video_jobs_client.protocol.effects import Answer, Steps, pause
from video_jobs_client.protocol.retries import Deadline, retry_after_s

OPEN, ENDED = frozenset({"pending", "running"}), frozenset({"completed", "failed"})
_PAUSE_S = 2.0
_SHORTEST_S, _LONGEST_S = 0.1, 300.0
"""Limits of what the service may ask for: it is not asked without a pause, nor forgotten."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How to wait.

    Attributes
    ----------
    timeout_s
        None waits for ever; 0 or less asks once, and sends nothing again.
    on_progress
        Called with the job after each question.
    poll_s
        The pause between two questions; None does what the service says (``Retry-After``).
    """

    timeout_s: float | None = None
    on_progress: Callable[[JobResource], None] | None = None
    poll_s: float | None = None
    clock: Callable[[], float] = time.monotonic


def wait(calls: Calls, job_id: str, how: Waiting) -> Steps[JobResource]:
    """Wait until the job is completed or failed; gives it as it is then.

    Raises
    ------
    WaitTimeoutError
        If it has not ended in time; no request and no pause goes beyond that time.
    UnknownStatusError
        If it has a status that this package does not know.
    """
    deadline, is_once = None, False
    if how.timeout_s is not None and how.timeout_s > 0:
        deadline = Deadline(how.clock() + how.timeout_s, how.clock)
    elif how.timeout_s is not None:
        is_once, calls = True, replace(calls, retries=replace(calls.retries, limit=0))
    while True:
        answer = yield from calls.status(job_id, deadline)
        status = known_status(model_of(answer, JobStatus).status)
        if how.on_progress is not None or status in ENDED:
            job = yield from calls.job(job_id, deadline)
            if how.on_progress is not None:
                how.on_progress(job)
            if known_status(job.status) in ENDED:
                return job
        if is_once:
            raise WaitTimeoutError(f"Job {job_id} is {status}; it goes on")
        seconds = _asked_for(answer) if how.poll_s is None else how.poll_s
        if deadline is not None and seconds >= deadline.left_s():
            yield from pause(deadline.left_s())
            raise WaitTimeoutError(f"Job {job_id} is {status} after {how.timeout_s:g} seconds; it goes on")
        yield from pause(seconds)


def _asked_for(answer: Answer) -> float:
    """The pause that the service asks for, within reason."""
    said = retry_after_s(answer, datetime.now(UTC))
    return _PAUSE_S if said is None else min(max(said, _SHORTEST_S), _LONGEST_S)


def known_status(status: str) -> str:
    """The status; raises UnknownStatusError if it is none of the four."""
    if status not in OPEN | ENDED:
        raise UnknownStatusError(f'The job has the status "{status}": install a newer video-jobs-client')
    return status


def succeeded(job: JobResource) -> JobResource:
    """The job, if it did not fail; raises JobFailedError with its reason otherwise."""
    if job.status != "failed":
        return job
    code, message = (job.error.code, job.error.message) if job.error else ("", None)
    raise JobFailedError(job.job_id, code, message or f"The job failed ({code or 'without a reason'})")
