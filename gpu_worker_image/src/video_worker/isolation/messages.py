"""The messages between the worker and its analysing process, over a pipe.

A `video_worker.analysis.RunRequest` is answered by `RunOpened`, a dict for each frame, and `RunEnded`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from video_jobs.domain.errors import VideoJobsError


@dataclass(frozen=True, slots=True)
class FingerprintRequest:
    """Asks for the fingerprint of a pipeline; the answer is a dict."""

    pipeline_id: str


@dataclass(frozen=True, slots=True)
class Ready:
    """The models are loaded."""


@dataclass(frozen=True, slots=True)
class RunOpened:
    """The file was opened."""

    frames_total: int | None


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The last frame was sent."""

    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """Instead of any other answer: one of this product's errors, or the name and traceback of another."""

    error: VideoJobsError | None
    name: str
    details: str
    is_out_of_memory: bool = False


Answer = Ready | RunOpened | RunEnded | Failed | dict[str, Any]
