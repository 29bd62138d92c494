"""What the worker needs from the service that runs the pipelines, as protocols."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol, Self

from video_jobs.domain.job import DEFAULT_PART_FRAMES, JobOptions
from video_jobs.domain.object_choice import ALL_OBJECTS, ObjectChoice
from video_jobs.domain.region import Region
from video_jobs.domain.sampling import EVERY_PICTURE, Sampling
from video_jobs.domain.text_engines import NOTHING_CHOSEN, TextChoice
from video_jobs.domain.video import JobWarning, VideoFacts

from video_worker.part_ranges import Excerpt, IndexTarget, PartRanges

KeepGoing = Callable[[], None]
"""Called between frames, and at least every half second while a frame takes long. If it raises, the run ends
with that error."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """The pipeline and the frames of a video to run it on.

    The **candidates** of a run are the pictures that ``sampling`` selects, whether they can be decoded or
    not. Part ``n`` is candidates ``n * part_frames`` to ``(n + 1) * part_frames - 1``. A video
    that can be decoded only from its first picture on is not divisible: it is part 0, however long it is.

    Attributes
    ----------
    max_frames
        Most frames to process, including ``frames_before``.
    first_part
        The first part to compute; an earlier attempt has computed those before.
    frames_before
        How many frames those parts have.
    end_part
        The run ends before this part, which is after ``first_part``; None for the end of the video. A run
        that ends earlier may have no frame, without an error.
    text, objects
        What the job chose for the reading of text, and for the detection of objects.
    region
        The part of the picture that is analysed; None for the whole picture.
    excerpt
        What of the file is at ``path``, if not all of it; the run has to be of parts for which it was made.
    index_target
        Where the index is written that others need to compute parts of this run from an excerpt.
    """

    path: Path
    pipeline_id: str
    sampling: Sampling = EVERY_PICTURE
    max_frames: int | None = None
    first_part: int = 0
    frames_before: int = 0
    end_part: int | None = None
    part_frames: int = DEFAULT_PART_FRAMES
    text: TextChoice = NOTHING_CHOSEN
    objects: ObjectChoice = ALL_OBJECTS
    region: Region | None = None
    excerpt: Excerpt | None = None
    index_target: IndexTarget | None = None

    @classmethod
    def of(cls, path: Path, options: JobOptions, part_frames: int) -> Self:
        """A run of all that a job chose."""
        return cls(
            path,
            options.pipeline_id,
            options.sampling,
            options.max_frames,
            part_frames=part_frames,
            text=options.text,
            objects=options.objects,
            region=options.region,
        )

    @property
    def first_candidate(self) -> int:
        """The number of the candidate with which the first part begins."""
        return self.first_part * self.part_frames

    @property
    def end_candidate(self) -> int | None:
        """The number of the candidate before which the run ends."""
        return None if self.end_part is None else self.end_part * self.part_frames


class AnalysedFrame(NamedTuple):
    """The result of one frame; its time is counted from the first picture of the video."""

    frame_index: int
    timestamp_ms: float
    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PartNotes:
    """What happened to the pictures of one part.

    Attributes
    ----------
    lost
        How many candidates could not be decoded.
    first_lost
        The ``frame_index`` of the first of them.
    other_sizes
        Sizes (width, height) of pictures that had another size than the video; sorted.
    """

    lost: int = 0
    first_lost: int | None = None
    other_sizes: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class PartEnd:
    """After the last frame of a part.

    Attributes
    ----------
    is_complete
        Whether the part has all of its ``part_frames`` candidates, and may be stored. The last part has fewer
        if the video or ``max_frames`` ends before, and the only part of a video that is not divisible has no
        fixed number.
    """

    number: int
    notes: PartNotes
    is_complete: bool


class AnalysisRun(Protocol):
    """One pass over a video: iterate it for the frames.

    Attributes
    ----------
    video
        The video, as it was opened.
    warnings
        What the client should know about the file as a whole. What happens to single pictures is in the
        notes of each part.
    frames_total
        How many frames are processed at most, of the whole video; None if the file does not tell.
    complete_parts
        How many parts of the whole video have all of their candidates; 0 if the file does not tell, or if it
        is not divisible. With ``max_frames``, only those that are certainly computed.
    part_ranges
        The bytes of the file that each part takes; None if a part takes all, or if no index was written.
    """

    video: VideoFacts
    warnings: tuple[JobWarning, ...]
    frames_total: int | None
    complete_parts: int
    part_ranges: PartRanges | None

    def __iter__(self) -> Iterator[AnalysedFrame | PartEnd]:
        """The frames in order, and a `PartEnd` after each part, the last one included."""
        ...

    def close(self) -> None:
        """End the run, unless it has come to its end. Nothing can be iterated then."""
        ...


class AnalysisService(Protocol):
    """Runs pipelines over video files."""

    def prepare(self) -> None:
        """Get ready for a run; called before a job is claimed, so that a failed start harms no job."""
        ...

    def fingerprint(self, pipeline_id: str, text: TextChoice = NOTHING_CHOSEN) -> dict[str, Any]:
        """Everything besides video and frames that the results depend on; ``id`` is its hash.

        ``text`` is that of the `RunRequest`, since the text engines differ in models and libraries.
        """
        ...

    def run(self, request: RunRequest, keep_going: KeepGoing | None = None) -> AnalysisRun:
        """Open a video, to process its frames in order until ``keep_going`` raises an error.

        Raises
        ------
        OutsideRangesError
            On opening or while iterating, if it takes more than the excerpt.
        """
        ...
