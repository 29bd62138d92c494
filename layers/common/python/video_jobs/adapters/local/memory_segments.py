"""In-memory counterpart of the segments of long videos."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from video_jobs.domain.errors import ConflictError
from video_jobs.domain.job import Lease
from video_jobs.domain.segments import Segment
from video_jobs.domain.usage import Usage

_Key = tuple[str, str, int]


class MemorySegmentRepository:
    """Segments by job, run and number; thread-safe. It never drops one."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._segments: dict[_Key, Segment] = {}

    def offer(self, segment: Segment, *, now: datetime) -> None:
        """Add a segment."""
        with self._lock:
            if _key(segment) in self._segments:
                raise ConflictError
            self._segments[_key(segment)] = segment

    def list_segments(self, job_id: str, run_id: str) -> list[Segment]:
        """The segments of a run by their number."""
        with self._lock:
            found = [one for key, one in self._segments.items() if key[:2] == (job_id, run_id)]
        return sorted(found, key=lambda segment: segment.number)

    def claim(
        self, segment: Segment, *, worker_id: str, until: datetime, now: datetime, again: bool = False
    ) -> Segment:
        """Lease a segment."""
        with self._lock:
            known = self._known(_key(segment))
            if not replace(known, is_done=known.is_done and not again).is_free(now):
                raise ConflictError
            lease, claims = Lease(worker_id, until), known.claims + 1
            return self._change(known, lease=lease, claims=claims, is_done=False, is_answered=True)

    def keep(self, segment: Segment, *, until: datetime, parts_done: int) -> None:
        """Extend the lease."""
        with self._lock:
            known, lease = self._held(segment)
            self._change(known, lease=Lease(lease.worker_id, until), parts_done=parts_done)

    def finish(self, segment: Segment, used: Usage) -> None:
        """End the lease of what is done."""
        with self._lock:
            known, _ = self._held(segment)
            self._change(known, lease=None, is_done=True, used=used.added_to(known.used))

    def give_back(self, segment: Segment, used: Usage) -> None:
        """End the lease."""
        with self._lock:
            known, _ = self._held(segment)
            self._change(known, lease=None, used=used.added_to(known.used))

    def answer(self, job_id: str, run_id: str, number: int) -> None:
        """Note the answer to a message."""
        with self._lock, suppress(ConflictError):
            self._change(self._known((job_id, run_id, number)), is_answered=True)

    def _known(self, key: _Key) -> Segment:
        if key not in self._segments:
            raise ConflictError
        return self._segments[key]

    def _held(self, segment: Segment) -> tuple[Segment, Lease]:
        """A segment as it is now, and the claimant's lease."""
        known = self._known(_key(segment))
        is_mine = segment.lease is not None and known.claims == segment.claims
        if known.lease is None or not is_mine:
            raise ConflictError
        return known, known.lease

    def _change(self, known: Segment, **values: Any) -> Segment:
        changed = replace(known, **values)
        self._segments[_key(known)] = changed
        return changed


def _key(segment: Segment) -> _Key:
    return segment.job_id, segment.run_id, segment.number
