"""The ports of the fleet: what sets the number of workers, and what is remembered of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from video_jobs.domain.fleet import FleetRecord


@dataclass(frozen=True, slots=True)
class WorkerService:
    """The service that runs the workers.

    Attributes
    ----------
    desired, running
        How many workers it is asked for, and how many run.
    task_definition
        What it starts new ones from (``family:revision``).
    """

    desired: int
    task_definition: str
    running: int = 0


class WorkerFleet(Protocol):
    """Starts and stops workers. `look` and `set_workers` raise `FleetError` if that failed."""

    @property
    def is_managed(self) -> bool:
        """Whether the number of workers is to be set at all; in the local stack it is not."""
        ...

    def look(self) -> WorkerService:
        """The service as it is now."""
        ...

    def set_workers(self, count: int) -> None:
        """Ask for so many workers. One that is protected from scale-in stays until its job has ended."""
        ...


class FleetRepository(Protocol):
    """The one record of the fleet. Every method raises `FleetError` if the table did not answer."""

    def read(self) -> FleetRecord:
        """The record as it is now (consistent read); an empty one if none was written yet."""
        ...

    def take(self, holder: str, *, until: datetime, now: datetime) -> FleetRecord:
        """Lease the record until ``until``, and return it.

        Raises
        ------
        ConflictError
            If another holder has a live lease.
        """
        ...

    def settle(self, holder: str, record: FleetRecord) -> None:
        """Write the record, and end the lease.

        Raises
        ------
        ConflictError
            If ``holder`` no longer has the lease.
        """
        ...
