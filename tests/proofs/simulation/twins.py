"""The in-memory adapters as a simulation needs them: seen from above, and with the queue's own mischief."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial
from pathlib import Path

from video_jobs.adapters.local.memory_accounts import MemoryAccounts
from video_jobs.adapters.local.memory_jobs import MemoryJobRepository
from video_jobs.adapters.local.memory_queue import MemoryQueue
from video_jobs.adapters.local.memory_storage import MemoryStorage
from video_jobs.domain.accounts import Move
from video_jobs.domain.changes import Change, Expected
from video_jobs.domain.formats import NEWEST_FORMAT
from video_jobs.domain.job import Job
from video_jobs.domain.segments import HelpMessage
from video_jobs.ports import Clock, QueueMessage, StoredFile

OnChange = Callable[[Job, Change, Job], None]


class ObservedJobs(MemoryJobRepository):
    """Tells of every change and, in ``on_delete``, of every job that is deleted.

    Changes named in ``unconditional`` are written whatever their condition says.
    """

    def __init__(
        self,
        accounts: MemoryAccounts,
        on_change: OnChange,
        on_delete: Callable[[Job], None],
        unconditional: Collection[str],
    ) -> None:
        super().__init__(accounts)
        self._on_change, self._on_delete, self._unconditional = on_change, on_delete, unconditional

    @property
    def all(self) -> dict[str, Job]:
        return self._jobs

    def save(self, job: Job, move: Move | None = None) -> None:
        """Keep a new job; some need a format that not all workers understand."""
        needs_newer = int(job.job_id[-1], 16) < 3
        super().save(replace(job, needs=NEWEST_FORMAT) if needs_newer else job, move)

    def update_status(self, change: Change) -> Job:
        before = self._jobs.get(change.job_id)
        if before is not None and change.action in self._unconditional:
            self._jobs[change.job_id] = change.apply(before)
            if change.move is not None:
                self._accounts.make(change.move)
        else:
            super().update_status(change)
        after = self._jobs[change.job_id]
        self._on_change(before or after, change, after)
        return after

    def delete(self, job_id: str, expected: Expected) -> None:
        job = self._jobs.get(job_id)
        super().delete(job_id, expected)
        if job is not None:
            self._on_delete(job)


class ObservedStorage(MemoryStorage):
    """Tells of every new object, as S3 does."""

    def __init__(self, on_object: Callable[[StoredFile], None]) -> None:
        super().__init__()
        self._on_object = on_object

    def save_file(self, key: str, source: Path, content_type: str) -> StoredFile:
        return self.save_bytes(key, source.read_bytes())

    def save_bytes(self, key: str, content: bytes) -> StoredFile:
        stored = super().save_bytes(key, content)
        self._on_object(stored)
        return stored

    def content(self, key: str, version: str | None) -> bytes | None:
        return self._versions.get((key, version or self._current.get(key, "")))

    def is_current(self, key: str, version: str | None) -> bool:
        return key in self._current and self._current[key] == version

    def versions(self, key: str) -> list[bytes]:
        return [content for (name, _), content in self._versions.items() if name == key]


class RedrivingQueue(MemoryQueue):
    """Gives a message up after ``max_receives``; sends it twice where ``duplicates`` says so.

    ``given_up`` has all that were, ``dead_letters`` those that are not yet handled; ``on_dead_letter`` is
    told of each. ``send_help`` sends what asks for help, as often and as late as it likes.
    """

    def __init__(
        self, clock: Clock, max_receives: int, *, duplicates: Callable[[], bool], deduplicates: bool
    ) -> None:
        super().__init__(clock)
        self.send_help: Callable[[Callable[[], None]], None] = lambda send: send()
        self.on_dead_letter: Callable[[str], None] = lambda body: None
        self._duplicates, self._deduplicates = duplicates, deduplicates
        self._max_receives = max_receives
        self.given_up: set[tuple[str, int]] = set()
        self.dead_letters: list[tuple[str, int]] = []

    def dequeue(self, *, wait_s: int = 0, visibility_s: int = 60) -> QueueMessage | None:
        while True:
            message = super().dequeue(wait_s=0, visibility_s=visibility_s)
            if message is None or message.receive_count <= self._max_receives:
                return message
            self.acknowledge(message)
            self.given_up.add((message.body, message.generation))
            self.dead_letters.append((message.body, message.generation))
            self.on_dead_letter(message.body)

    def enqueue(self, job_id: str, generation: int) -> None:
        """Add a job, or add it twice past the deduplication."""
        super().enqueue(job_id, generation)
        if self._duplicates():
            self._sent_ids.pop(f"{job_id}:{generation}", None)
            super().enqueue(job_id, generation)

    def ask_for_help(self, job_id: str, number: int, attempt: int) -> None:
        """Add a message, perhaps later, or several times past the deduplication."""
        sent_id = f"{HelpMessage(job_id, number).body}:{attempt}"
        if not self._is_duplicate(sent_id):
            self.send_help(partial(self._send_help, sent_id, (job_id, number, attempt)))

    def _send_help(self, sent_id: str, asked: tuple[str, int, int]) -> None:
        self._sent_ids.pop(sent_id, None)
        super().ask_for_help(*asked)

    def _is_duplicate(self, deduplication_id: str) -> bool:
        return super()._is_duplicate(deduplication_id) and self._deduplicates
