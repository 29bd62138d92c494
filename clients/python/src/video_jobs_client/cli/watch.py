"""``video-jobs watch``: wait until jobs have ended."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from video_jobs_client.cli.commands import JobNames
from video_jobs_client.cli.exits import ExitCode, exit_code_of, message_about, tell, tell_interrupted
from video_jobs_client.cli.progress import Bar, bars
from video_jobs_client.cli.session import Session
from video_jobs_client.errors import VideoJobsClientError, WaitTimeoutError

if TYPE_CHECKING:
    from video_jobs_client.async_client import AsyncClient
    from video_jobs_client.async_jobs import AsyncJob
    from video_jobs_client.models import JobResource

    Outcome: TypeAlias = JobResource | VideoJobsClientError

Timeout = Annotated[
    float | None,
    typer.Option("--timeout", min=0, metavar="SECONDS", help="Wait at most so long; the jobs go on."),
]
_ONE_LOOK_S = 1.0
"""So long it may take to ask how a job is, also if there is no time to wait for its end."""


def watch(session: Session, jobs: JobNames, timeout: Timeout = None) -> ExitCode:
    """Wait until jobs have ended, and show how far they are.

    Ctrl-C ends the waiting only: the jobs go on. The exit code is 5 if a job failed.
    """
    return watch_jobs(session, [session.job_id(name) for name in jobs], timeout)


def watch_jobs(session: Session, job_ids: Sequence[str], timeout: float | None) -> ExitCode:
    """Wait for jobs, tell how each ended, and give the exit code of the first that went wrong."""
    try:
        with bars(session.output) as shown_bars:
            named = [(job_id, shown_bars.add(job_id)) for job_id in job_ids]
            outcomes = asyncio.run(_all(session, named, timeout))
    except KeyboardInterrupt:
        ids = " ".join(job_ids)
        goes_on = "The job goes on" if len(job_ids) == 1 else "The jobs go on"
        tell_interrupted(f"{goes_on}; to come back: video-jobs watch {ids}")
        return ExitCode.INTERRUPTED
    codes = [_told(session, job_id, one) for job_id, one in zip(job_ids, outcomes, strict=True)]
    return next((code for code in codes if code is not ExitCode.OK), ExitCode.OK)


async def _all(session: Session, named: Sequence[tuple[str, Bar]], timeout: float | None) -> list[Outcome]:
    async with session.async_client() as client:
        return list(await asyncio.gather(*(_one(client, job_id, bar, timeout) for job_id, bar in named)))


async def _one(client: AsyncClient, job_id: str, bar: Bar, timeout: float | None) -> Outcome:
    from video_jobs_client.protocol.waiting import ENDED

    job: AsyncJob | None = None
    try:
        async with asyncio.timeout(None if timeout is None else max(timeout, _ONE_LOOK_S)):
            job = await client.jobs.get(job_id)
            bar.show_job(job.resource)
            if job.status not in ENDED:
                await job.wait(timeout, on_progress=lambda now: bar.show_job(now.resource), check=False)
    except TimeoutError:
        known = "The service does not answer" if job is None else f"Job {job_id} is {job.status}"
        return WaitTimeoutError(f"{known} after {timeout:g} seconds")
    except VideoJobsClientError as error:
        return error
    return job.resource


def _told(session: Session, job_id: str, outcome: Outcome) -> ExitCode:
    if isinstance(outcome, VideoJobsClientError):
        tell(message_about(f"Job {job_id}", outcome))
        return exit_code_of(outcome)
    if session.output.is_json:
        session.output.json(outcome)
    elif session.output.has_tables:
        session.output.line(_sentence(outcome))
    else:
        code = outcome.error.code if outcome.error else ""
        session.output.table((), [(job_id, outcome.status, outcome.frames_done, code)])
    if outcome.status == "completed":
        session.output.hint(f"See what is in it: video-jobs summary {job_id}")
        return ExitCode.OK
    if not session.output.has_tables or session.output.is_json:
        tell(_sentence(outcome))
    session.output.hint(f"To run it again: video-jobs retry {job_id}")
    return ExitCode.JOB_FAILED


def _sentence(job: JobResource) -> str:
    name = f"Job {job.job_id}" + (f" ({job.filename})" if job.filename else "")
    if job.status == "completed":
        return f"{name} is completed: {job.frames_done} frames."
    why = (job.error.message or job.error.code) if job.error else "no reason is known"
    return f"{name} failed: {why}"
