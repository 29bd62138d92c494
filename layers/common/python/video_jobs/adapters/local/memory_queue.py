"""In-memory counterpart of the jobs queue: thread-safe, with the rules of SQS FIFO."""

from __future__ import annotations

import heapq
import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from uuid import uuid4

from video_jobs.domain.errors import ReceiptExpiredError
from video_jobs.domain.segments import HelpMessage
from video_jobs.ports import Clock, QueueDepth, QueueMessage

DEDUPLICATION_WINDOW = timedelta(minutes=5)


@dataclass(slots=True)
class _Entry:
    order: int
    group: str
    body: str
    generation: int
    receive_count: int = 0
    receipt: str | None = None
    invisible_until: datetime | None = None


class MemoryQueue:
    """A FIFO queue with message groups, visibility timeouts and deduplication, as SQS FIFO has them.

    Messages are received in the order in which they were sent. A message that is held, or was
    returned with a delay, keeps its place and holds back the later messages of its group.
    """

    def __init__(self, clock: Clock, *, strict_order: bool = False) -> None:
        self._clock = clock
        self._strict_order = strict_order
        self._changed = threading.Condition()
        self._order = count()
        self._groups: dict[str, deque[_Entry]] = {}  # only the first of a group may be received
        self._ready: list[tuple[int, str]] = []
        self._hidden: list[tuple[datetime, int, str]] = []
        self._held: dict[str, _Entry] = {}
        self._sent_ids: dict[str, datetime] = {}

    def enqueue(self, job_id: str, generation: int) -> None:
        """Add a job at the end of the queue."""
        group = "all" if self._strict_order else job_id
        self._send(job_id, group, f"{job_id}:{generation}", generation)

    def ask_for_help(self, job_id: str, number: int, attempt: int) -> None:
        """Add a message that asks for help with a segment."""
        body = HelpMessage(job_id, number).body
        self._send(body, body, f"{body}:{attempt}", 0)

    def _send(self, body: str, group: str, send_id: str, generation: int) -> None:
        with self._changed:
            if self._is_duplicate(send_id):
                return
            entry = _Entry(next(self._order), group, body, generation)
            entries = self._groups.setdefault(group, deque())
            entries.append(entry)
            if len(entries) == 1:
                heapq.heappush(self._ready, (entry.order, group))
                self._changed.notify()

    def dequeue(self, *, wait_s: int = 0, visibility_s: int = 60) -> QueueMessage | None:
        """Receive the next message; waiting takes real time, even if the clock is a manual one."""
        with self._changed:
            self._changed.wait_for(self._next_is_ready, timeout=wait_s)
            if not self._next_is_ready():
                return None
            _, group = heapq.heappop(self._ready)
            entry = self._groups[group][0]
            entry.receive_count += 1
            entry.receipt = str(uuid4())
            self._held[entry.receipt] = entry
            self._hide(entry, visibility_s)
            return QueueMessage(entry.body, entry.generation, entry.receipt, entry.receive_count)

    def size(self) -> int:
        """How many messages no consumer holds."""
        with self._changed:
            self._surface_due()
            return sum(len(entries) for entries in self._groups.values()) - len(self._held)

    def depth(self) -> QueueDepth:
        """How many messages no consumer holds, and how many are held or returned with a delay."""
        with self._changed:
            self._surface_due()
            every = sum(len(entries) for entries in self._groups.values())
            hidden = sum(entries[0].invisible_until is not None for entries in self._groups.values())
            return QueueDepth(every - hidden, hidden)

    def acknowledge(self, message: QueueMessage) -> None:
        """Remove a held message."""
        with self._changed:
            entry = self._holding(message)
            self._release(entry)
            entries = self._groups[entry.group]
            entries.popleft()
            if not entries:
                del self._groups[entry.group]
                return
            heapq.heappush(self._ready, (entries[0].order, entry.group))
            self._changed.notify()

    def extend(self, message: QueueMessage, visibility_s: int) -> None:
        """Hold a message for ``visibility_s`` seconds from now on."""
        with self._changed:
            self._hide(self._holding(message), visibility_s)

    def return_message(self, message: QueueMessage, delay_s: int = 0) -> None:
        """Release a held message; it keeps its place."""
        with self._changed:
            entry = self._holding(message)
            self._release(entry)
            self._hide(entry, delay_s)
            self._surface_due()
            self._changed.notify()

    def _is_duplicate(self, deduplication_id: str) -> bool:
        now = self._clock.now()
        while self._sent_ids:
            oldest, sent_at = next(iter(self._sent_ids.items()))
            if sent_at > now - DEDUPLICATION_WINDOW:
                break
            del self._sent_ids[oldest]
        if deduplication_id in self._sent_ids:
            return True
        self._sent_ids[deduplication_id] = now
        return False

    def _next_is_ready(self) -> bool:
        self._surface_due()
        return bool(self._ready)

    def _surface_due(self) -> None:
        now = self._clock.now()
        while self._hidden and self._hidden[0][0] <= now:
            until, order, group = heapq.heappop(self._hidden)
            entry = self._groups[group][0] if group in self._groups else None
            if entry is None or entry.order != order or entry.invisible_until != until:
                continue
            self._release(entry)
            heapq.heappush(self._ready, (order, group))

    def _hide(self, entry: _Entry, seconds: int) -> None:
        entry.invisible_until = self._clock.now() + timedelta(seconds=seconds)
        heapq.heappush(self._hidden, (entry.invisible_until, entry.order, entry.group))

    def _release(self, entry: _Entry) -> None:
        if entry.receipt is not None:
            self._held.pop(entry.receipt, None)
        entry.receipt = None
        entry.invisible_until = None

    def _holding(self, message: QueueMessage) -> _Entry:
        self._surface_due()
        entry = self._held.get(message.receipt)
        if entry is None:
            raise ReceiptExpiredError
        return entry
