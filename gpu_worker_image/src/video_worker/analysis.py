"""What the worker needs from the service that runs the pipelines, as protocols."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from video_jobs.domain.job import DEFAULT_PART_FRAMES

KeepGoing = Callable[[], None]
"""Called between frames, and at least every half second while a frame takes long. If it raises, the run ends
with that error."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """The pipeline and the frames of a video to run it on.

    Attributes
    ----------
    frame_stride
        Frames with ``frame_index % frame_stride == 0`` are processed.
    max_frames
        Most frames to process, including ``skip_frames``.
    skip_frames
        How many of these frames an earlier attempt has processed: a multiple of ``part_frames``.
    part_frames
        After this many processed frames, tools that remember earlier frames start with an empty memory.
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
        How many frames will be processed; None if the container does not tell.
    warnings
        What the client should know about the run; set after the last frame.
    """

    frames_total: int | None
    warnings: tuple[str, ...]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """``{"frame_index": int, "result": {...}}`` for each frame, in order."""
        ...


class AnalysisService(Protocol):
    """Runs pipelines over video files."""

    def prepare(self) -> None:
        """Get ready for a run; called before a job is claimed, so that a failed start harms no job."""
        ...

    def fingerprint(self, pipeline_id: str) -> dict[str, Any]:
        """Everything besides video and options that the results depend on; ``id`` is its hash."""
        ...

    def run(self, request: RunRequest, keep_going: KeepGoing | None = None) -> AnalysisRun:
        """Process a video's frames in order, until ``keep_going`` raises an error."""
        ...
