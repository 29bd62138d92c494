"""``video-jobs`` status, list, cancel, retry, delete and pipelines."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from video_jobs_client.cli.commands import JobName, JobNames
from video_jobs_client.cli.exits import ExitCode, tell
from video_jobs_client.cli.session import Session

if TYPE_CHECKING:
    from video_jobs_client.models import JobResource

_LISTED = 20
_STATUS_HELP = "List only pending, running, completed or failed jobs."


def status(session: Session, job: JobName) -> None:
    """Show what is known about a job."""
    with session.client() as client:
        found = session.job(client, job).resource
    if session.output.is_json:
        session.output.json(found)
    else:
        session.output.facts(_facts(found))


def list_jobs(
    session: Session,
    status: Annotated[str | None, typer.Option("--status", metavar="STATUS", help=_STATUS_HELP)] = None,
    pipeline: Annotated[
        str | None, typer.Option("--pipeline", metavar="ID", help="List only jobs of this pipeline.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, metavar="NUMBER", help="List at most so many.")
    ] = _LISTED,
) -> None:
    """List your jobs, the newest first."""
    with session.client() as client:
        found = [job.resource for job in client.jobs.list(status=status, pipeline_id=pipeline, limit=limit)]
    if session.output.is_json:
        session.output.json(found)
        return
    if session.output.has_tables:
        rows = [(job.job_id, _state(job), _short(job), _origin(job)) for job in found]
        session.output.table(("job", "status", "submitted", "file"), rows, is_dense=True)
    else:
        lines = [(job.job_id, job.status, _percent(job), _created(job), job.filename) for job in found]
        session.output.table((), lines)
    if not found:
        session.output.hint("No jobs. To submit one: video-jobs submit FILE")


def cancel(session: Session, jobs: JobNames) -> None:
    """End jobs that have not ended yet.

    Each becomes "failed" with the code "cancelled".
    """
    ids = [session.job_id(name) for name in jobs]
    with session.client() as client:
        for job_id in ids:
            _changed(session, client.jobs.cancel(job_id).resource, "is cancelled")


def retry(session: Session, jobs: JobNames) -> None:
    """Run failed jobs once more."""
    ids = [session.job_id(name) for name in jobs]
    with session.client() as client:
        for job_id in ids:
            _changed(session, client.jobs.retry(job_id).resource, "runs again")


def delete(
    session: Session,
    jobs: JobNames,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete without asking.")] = False,
) -> ExitCode:
    """Delete jobs with their videos, results and summaries."""
    ids = [session.job_id(name) for name in jobs]
    if not yes and not _is_agreed(session, ids):
        tell("Nothing was deleted; --yes deletes without asking.")
        return ExitCode.USAGE
    with session.client() as client:
        for job_id in ids:
            client.jobs.delete(job_id)
            session.output.note(f"Job {job_id} is deleted")
    return ExitCode.OK


def pipelines(session: Session) -> None:
    """List the pipelines and text engines that a job may ask for."""
    with session.client() as client:
        found = client.pipelines()
    if session.output.is_json:
        session.output.json(found)
        return
    rows: list[tuple[str, str, str | None]] = [
        ("pipeline", f"{one.pipeline_id}{' (default)' if one.is_default else ''}", one.description)
        for one in found.pipelines
    ]
    rows += [
        ("text engine", one.id, ", ".join(one.languages or one.scripts or ())) for one in found.text_engines
    ]
    session.output.table(("kind", "id", "what"), rows)


def _is_agreed(session: Session, ids: list[str]) -> bool:
    if not session.output.has_tables or sys.stdin is None:
        return False
    try:
        return typer.confirm(f"Delete {', '.join(ids)} with video and results?", err=True)
    except typer.Abort as error:
        print(file=sys.stderr)  # noqa: T201 - what follows must not stand behind the question
        if isinstance(error.__context__, EOFError):
            return False
        raise KeyboardInterrupt from None


def _changed(session: Session, job: JobResource, what: str) -> None:
    if session.output.is_json:
        session.output.json(job)
    else:
        session.output.line(f"Job {job.job_id} {what}" if session.output.has_tables else job.job_id)


def _facts(job: JobResource) -> list[tuple[str, Any]]:
    video, usage, error = job.video, job.usage, job.error
    return [
        ("job", job.job_id),
        ("status", job.status),
        ("done", _percent(job)),
        (
            "frames",
            job.frames_done if job.frames_total is None else f"{job.frames_done} of {job.frames_total}",
        ),
        ("file", job.filename),
        ("source", job.source_host),
        ("pipeline", job.pipeline_id),
        ("submitted", _created(job)),
        ("video", video and f"{video.codec}, {video.width} x {video.height}"),
        ("error", error and f"{error.code}: {error.message or ''}"),
        ("computed", usage and f"{usage.compute_seconds:.1f} s"),
        ("cost", (usage and usage.cost_usd is not None and f"{usage.cost_usd:.4f} USD") or None),
        *(("warning", warning) for warning in job.warnings),
    ]


def _percent(job: JobResource) -> str | None:
    return None if job.percent is None else f"{job.percent} %"


def _state(job: JobResource) -> str:
    return f"{job.status} {_percent(job)}" if job.status == "running" and job.percent else job.status


def _origin(job: JobResource) -> str | None:
    return job.filename or (job.source_host and f"from {job.source_host}")


def _created(job: JobResource) -> str:
    return job.created_at.isoformat()


def _short(job: JobResource) -> str:
    return job.created_at.astimezone().strftime("%m-%d %H:%M")
