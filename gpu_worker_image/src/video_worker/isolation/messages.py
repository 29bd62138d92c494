"""The messages between the worker and its analysing process, over a pipe.

A `video_worker.analysis.RunRequest` is answered by `RunOpened`, an `AnalysedFrame` for each frame with a
`PartEnd` after each part, and `RunEnded`. An `EndRun` makes `RunEnded` come earlier.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from video_jobs.domain.errors import VideoJobsError
from video_jobs.domain.text_engines import TextChoice
from video_jobs.domain.video import JobWarning, VideoFacts

from video_worker.analysis import AnalysedFrame, PartEnd
from video_worker.part_ranges import PartRanges


@dataclass(frozen=True, slots=True)
class FingerprintRequest:
    """Asks for the fingerprint of a pipeline with the text engine of a job; the answer is a dict."""

    pipeline_id: str
    text: TextChoice


@dataclass(frozen=True, slots=True)
class EndRun:
    """Ends the run; it has no answer of its own, and is ignored if the run has ended."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The models are loaded."""


@dataclass(frozen=True, slots=True)
class RunOpened:
    """The file was opened; the fields are those of `video_worker.analysis.AnalysisRun`."""

    video: VideoFacts
    warnings: tuple[JobWarning, ...]
    frames_total: int | None
    complete_parts: int
    part_ranges: PartRanges | None


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The last part was sent."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Instead of any other answer: one of this product's errors, or the name and traceback of another."""

    error: VideoJobsError | None
    name: str
    details: str
    is_out_of_memory: bool = False


Answer = Ready | RunOpened | AnalysedFrame | PartEnd | RunEnded | Failed | dict[str, Any]
