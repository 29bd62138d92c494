"""What the worker and its analysing process say to each other, over a pipe."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from video_jobs.domain.errors import VideoJobsError


@dataclass(frozen=True, slots=True)
class FingerprintRequest:
    """Asks for the fingerprint of a pipeline; the answer is a dict."""

    pipeline_id: str


@dataclass(frozen=True, slots=True)
class RunRequest:
    """Asks for a run; the answers are `RunOpened`, a dict for each frame, `RunEnded`."""

    path: Path
    pipeline_id: str
    frame_stride: int
    max_frames: int | None
    skip_frames: int
    part_frames: int


@dataclass(frozen=True, slots=True)
class Ready:
    """The models are loaded."""


@dataclass(frozen=True, slots=True)
class RunOpened:
    """The file could be opened."""

    frames_total: int | None


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The last frame was given."""

    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """Instead of any other answer: an error of ours, or the name and traceback of another."""

    error: VideoJobsError | None
    name: str
    details: str
    is_out_of_memory: bool = False


Answer = Ready | RunOpened | RunEnded | Failed | dict[str, Any]
