"""What the worker needs from whatever runs the pipelines, as protocols."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from video_jobs.domain.job import DEFAULT_PART_FRAMES

KeepGoing = Callable[[], None]
"""Called between frames, and at least every half second where a frame takes long; it ends the run by
raising, and the run passes that on."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What to run over which frames of a video.

    Attributes
    ----------
    frame_stride
        Frames with ``frame_index % frame_stride == 0`` are processed.
    max_frames
        How many frames to process at most, ``skip_frames`` included.
    skip_frames
        How many of the frames to be processed were processed before: a multiple of ``part_frames``.
    part_frames
        After so many processed frames, tools that remember earlier frames start afresh.
    """

    path: Path
    pipeline_id: str
    frame_stride: int = 1
    max_frames: int | None = None
    skip_frames: int = 0
    part_frames: int = DEFAULT_PART_FRAMES


class AnalysisRun(Protocol):
    """One pass over a video: iterate it for the frames, then read ``warnings``.

    Attributes
    ----------
    frames_total
        How many frames will be processed, as the container tells; None where it does not.
    warnings
        What a client should know of the run; filled when the last frame was given.
    """

    frames_total: int | None
    warnings: tuple[str, ...]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """``{"frame_index": int, "result": {...}}`` for each frame, in order."""
        ...


class AnalysisService(Protocol):
    """Runs pipelines over video files."""

    def prepare(self) -> None:
        """Be ready for a run: called before a job is taken, so that no job pays for a failure to start."""
        ...

    def fingerprint(self, pipeline_id: str) -> dict[str, Any]:
        """All that the results depend on beside video and options; ``id`` is its hash."""
        ...

    def run(self, request: RunRequest, keep_going: KeepGoing | None = None) -> AnalysisRun:
        """Process a video's frames in order; what ``keep_going`` raises ends the run."""
        ...
