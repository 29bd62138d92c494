"""The event that is published when a job ends (docs/events.md has the schema)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from video_jobs.domain.job import JobStatus

SOURCE = "forgesyte.video-jobs"
DETAIL_TYPES: Mapping[JobStatus, str] = {
    JobStatus.COMPLETED: "JobCompleted",
    JobStatus.FAILED: "JobFailed",
}


@dataclass(frozen=True, slots=True)
class JobEvent:
    """The end of a job.

    It may be published more than once, but always with the same ``detail["event_id"]``.
    """

    detail_type: str
    detail: Mapping[str, Any]


def event_of_change(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> JobEvent | None:
    """The event of a change of a job's item; None if the change did not end the job.

    Parameters
    ----------
    before, after
        The item's attributes by name; None if there was no item before, or is none after the change.
    """
    if after is None or (before is not None and before.get("status") == after["status"]):
        return None
    detail_type = DETAIL_TYPES.get(JobStatus(after["status"]))
    if detail_type is None:
        return None
    error_code = after.get("error_code")
    detail = {
        "event_id": f"{after['job_id']}:{int(after['generation'])}:{after['status']}",
        "job_id": after["job_id"],
        "owner": after["owner"],
        "status": after["status"],
        "pipeline_id": after["pipeline_id"],
        "frames_done": int(after["frames_done"]),
        "error": {"code": error_code, "message": after.get("error_message")} if error_code else None,
        "ended_at": after["updated_at"],
    }
    return JobEvent(detail_type, detail)
