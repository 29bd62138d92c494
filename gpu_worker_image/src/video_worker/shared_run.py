"""Run a pipeline over a long video together with helpers, and join what all of them computed.

Only what is in the storage counts: a part that is not there is computed here, whoever said that it is done.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from video_jobs.domain.errors import FileMissingError
from video_jobs.domain.job import Job, Progress
from video_jobs.domain.segments import Segment
from video_jobs.domain.usage import Usage
from video_jobs.use_cases.help import all_of_it

from video_worker.analysis import AnalysedFrame, AnalysisRun
from video_worker.going_on import GoingOn
from video_worker.part_runs import OpenRun, PartRuns
from video_worker.parts import JobParts
from video_worker.segments import HeldSegments, Holder

_WAIT_S = 0.2


class SharedRun:
    """Computes the parts of a long video until all complete ones are joined.

    Parameters
    ----------
    run
        The run that was opened; it begins with the first part that is not joined.
    parts
        Where parts are stored and joined.
    open_run
        Opens the video once more.
    keep_going
        Raises an error if the work must stop; meanwhile it looks after the segments.

    Attributes
    ----------
    frames
        How many frames were analysed here.
    """

    def __init__(
        self, holder: Holder, job: Job, run: AnalysisRun, parts: JobParts, open_run: OpenRun
    ) -> None:
        self._holder = holder
        self._parts, self._joined, self._stored = parts, parts.joined, parts.storage
        self._end, self._frames_total = run.complete_parts, run.frames_total
        self._part_frames = job.part_frames
        self._part_runs = PartRuns(run, parts.stored, job.part_frames, open_run)
        ranges = run.part_ranges
        ranges_of = all_of_it if ranges is None else lambda parts: ranges.of(parts.start, parts.stop)
        self._segments = HeldSegments(job, holder, parts.stored, run.complete_parts, ranges_of)
        self._here: dict[int, Path] = {}
        self._broken: set[int] = set()
        self._begun: int | None = None
        self._begun_frames = 0
        self._most_frames = 0
        self.frames = 0

    def compute(self, keep_going: GoingOn) -> Iterator[Progress]:
        """Tell the progress after each frame that is analysed here, and while helpers compute."""
        self._segments.begin()
        keep_going.meanwhile = self._segments.tick
        while self._join() < self._end:
            segment = self._segments.take(self._parts.stored, self._broken)
            if segment is None:
                self._holder.wait(_WAIT_S)
                keep_going()
                yield self._progress
            else:
                self._broken.discard(segment.number)
                yield from self._compute(segment)
        keep_going.meanwhile = lambda: None

    def used_by_helpers(self) -> Usage:
        """What helpers used for segments that they have ended meanwhile, as far as that can be read."""
        return self._segments.used()

    def rest(self) -> AnalysisRun:
        """A run of what follows the complete parts."""
        return self._part_runs.rest(self._end, self._joined.frames)

    @property
    def _progress(self) -> Progress:
        """How many frames were analysed, by anyone; parts that are not joined yet count as whole.

        It does not go back if such a part turns out to have lost pictures, or to be missing.
        """
        told = (number for number, _ in self._segments.stored(self._parts.stored))
        ahead = {*told, *self._here} - {self._begun}
        frames = self._joined.frames + len(ahead) * self._part_frames + self._begun_frames
        self._most_frames = max(self._most_frames, frames)
        return Progress(self._most_frames, self._frames_total, self._parts.stored, self._segments.helpers)

    def _compute(self, segment: Segment) -> Iterator[Progress]:
        """Compute what is missing of a segment that the holder has."""
        missing = set(self._stored.missing(segment))
        for number in segment.parts:
            if number >= self._parts.stored and number in missing:
                yield from self._compute_part(number)
            self._segments.part_stored()
            self._join()
        self._segments.finish()

    def _compute_part(self, number: int) -> Iterator[Progress]:
        path = self._joined.folder / f"part-{number}.jsonl"
        started = self._holder.clock.now()
        self._begun, self._begun_frames = number, 0
        with path.open("wb") as file:
            for item, line in self._part_runs.lines(number):
                file.write(line)
                if isinstance(item, AnalysedFrame):
                    self.frames += 1
                    self._begun_frames += 1
                    yield self._progress
        self._segments.seconds_a_part = (self._holder.clock.now() - started).total_seconds()
        self._stored.save(number, path)
        self._here[number] = path
        self._begun, self._begun_frames = None, 0

    def _join(self) -> int:
        """Join all parts that are there and next; return how many are joined."""
        told = dict(self._segments.stored(self._parts.stored))
        while (number := self._parts.stored) < self._end and (path := self._found(number, told)) is not None:
            self._parts.add(path)
            path.unlink()
        return self._parts.stored

    def _found(self, number: int, told: dict[int, Segment]) -> Path | None:
        """The file of a part, if it is here or in the storage."""
        if number in self._here:
            return self._here.pop(number)
        segment = told.get(number)
        if segment is None:
            return None
        path = self._joined.folder / f"part-{number}.jsonl"
        try:
            self._stored.load(number, path)
        except FileMissingError:
            if segment.is_done:
                self._broken.add(segment.number)
            return None
        return path
