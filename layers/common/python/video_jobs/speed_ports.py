"""The port of the measured speeds."""

from __future__ import annotations

from typing import Protocol

from video_jobs.domain.speeds import Speed


class SpeedRepository(Protocol):
    """Keeps what jobs took. Both methods raise `TransientError` if the table did not answer."""

    def add(self, measured: Speed) -> None:
        """Add to what is kept for the pipeline, the fingerprint and the class of pictures."""
        ...

    def list_speeds(self, pipeline_id: str) -> list[Speed]:
        """All that is kept for a pipeline, in no order."""
        ...
