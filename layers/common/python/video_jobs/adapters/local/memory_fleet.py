"""In-memory counterparts of the fleet and of its record."""

from __future__ import annotations

import threading
from datetime import datetime

from video_jobs.domain.errors import ConflictError
from video_jobs.domain.fleet import FleetRecord
from video_jobs.domain.job import Lease
from video_jobs.fleet_ports import WorkerService


class MemoryWorkerFleet:
    """A service whose workers run as soon as they are asked for; ``asked`` has every request."""

    def __init__(self, *, is_managed: bool = True, task_definition: str = "worker:1") -> None:
        self.is_managed = is_managed
        self.service = WorkerService(0, task_definition)
        self.asked: list[int] = []

    def look(self) -> WorkerService:
        """The service as it is now."""
        return self.service

    def set_workers(self, count: int) -> None:
        """Ask for so many workers."""
        self.service = WorkerService(count, self.service.task_definition, running=count)
        self.asked.append(count)


class MemoryFleetRepository:
    """The record and its lease."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._record = FleetRecord()
        self._lease: Lease | None = None

    def read(self) -> FleetRecord:
        """The record as it is now."""
        with self._lock:
            return self._record

    def take(self, holder: str, *, until: datetime, now: datetime) -> FleetRecord:
        """Lease the record."""
        with self._lock:
            if self._lease is not None and self._lease.is_live(now):
                raise ConflictError
            self._lease = Lease(holder, until)
            return self._record

    def settle(self, holder: str, record: FleetRecord) -> None:
        """Write the record, and end the lease."""
        with self._lock:
            if self._lease is None or self._lease.worker_id != holder:
                raise ConflictError
            self._lease, self._record = None, record
