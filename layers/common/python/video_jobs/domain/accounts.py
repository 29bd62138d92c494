"""What an owner has in the service, and how much he may have."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What one owner has at the moment.

    Attributes
    ----------
    open_jobs
        Jobs that have not ended.
    uploads_awaited, bytes_awaited
        Jobs whose video is still to come from the client, and how large these videos are at most.
    sent
        Open jobs that were sent to the jobs queue, whether they wait there or run. The other jobs that have
        their video wait in the table.
    """

    open_jobs: int = 0
    uploads_awaited: int = 0
    bytes_awaited: int = 0
    sent: int = 0
