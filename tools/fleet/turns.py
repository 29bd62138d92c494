"""Whose job is sent next: the rule of turns, as functions and `reconcile` apply it."""

from __future__ import annotations

from collections import Counter, defaultdict, deque

from tools.fleet.jobs import Job


class Turns:
    """At most ``most`` messages of an owner's jobs are in the queue; his other jobs wait in the table.

    ``most`` is None with the policies of before: every job was sent at once.
    """

    def __init__(self, most: int | None) -> None:
        self.most = most
        self.sent: Counter[str] = Counter()
        """Open jobs of each owner that were sent, whether they wait or run."""
        self.waiting = 0
        self._waiting: defaultdict[str, deque[Job]] = defaultdict(deque)

    def accept(self, job: Job) -> bool:
        """Whether a new job is sent; otherwise it waits."""
        if self.most is None or self.sent[job.owner] < self.most:
            self.sent[job.owner] += 1
            return True
        self._waiting[job.owner].append(job)
        self.waiting += 1
        return False

    def end(self, owner: str) -> Job | None:
        """A job of the owner has ended: the oldest of those that wait is sent now."""
        if owner not in self._waiting:
            self.sent[owner] -= 1
            return None
        self.waiting -= 1
        job = self._waiting[owner].popleft()
        if not self._waiting[owner]:
            del self._waiting[owner]
        return job

    def oldest_s(self) -> float | None:
        """When the oldest of those that wait arrived."""
        return min((queue[0].arrives_s for queue in self._waiting.values()), default=None)
