"""The measured speeds in memory."""

from __future__ import annotations

import threading

from video_jobs.domain.speeds import Speed


class MemorySpeedRepository:
    """One speed for each pipeline, fingerprint and class of pictures."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._speeds: dict[tuple[str, str, str], Speed] = {}

    def add(self, measured: Speed) -> None:
        """Add to what is kept."""
        key = (measured.pipeline_id, measured.fingerprint, measured.size_class)
        with self._lock:
            self._speeds[key] = measured.added_to(self._speeds.get(key))

    def list_speeds(self, pipeline_id: str) -> list[Speed]:
        """All that is kept for a pipeline."""
        with self._lock:
            return [speed for speed in self._speeds.values() if speed.pipeline_id == pipeline_id]
