"""In-memory counterpart of the queue of fetches."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class MemorySourceQueue:
    """Keeps the jobs whose videos are to be fetched, with the delay of each, oldest first."""

    sent: list[tuple[str, int]] = field(default_factory=list)

    def send(self, job_id: str, delay_s: int = 0) -> None:
        """Keep one fetch."""
        self.sent.append((job_id, delay_s))
