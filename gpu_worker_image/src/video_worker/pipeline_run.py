"""One pass of a pipeline over an open video, part by part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import NamedTuple

from video_jobs.domain.errors import UnreadableVideoError

from video_worker.analysis import AnalysedFrame, KeepGoing, PartEnd, PartNotes, RunRequest
from video_worker.dag_runner import DagRunner
from video_worker.ordered_pool import ordered_results
from video_worker.part_ranges import IndexTarget, PartRanges
from video_worker.video.open_video import OpenVideo, Picture


class _Frame(NamedTuple):
    """A decoded picture, and what works on it; ``position`` is its place among the frames of its part."""

    runner: DagRunner
    position: int
    picture: Picture

    def analysed(self) -> AnalysedFrame:
        index, image = self.picture.index, self.picture.image
        payload = {"frame_index": index, "position": self.position, "image": image}
        return AnalysedFrame(index, self.picture.timestamp_ms, self.runner.run(payload))


class _Tools:
    """A pipeline whose tools begin afresh every ``length`` candidates."""

    def __init__(self, runner: DagRunner, length: int) -> None:
        self._fresh = self._runner = runner
        self._length = length
        self._section: int | None = None
        self._position = 0

    def frame(self, candidate: int, picture: Picture) -> _Frame:
        section = candidate // self._length
        if section != self._section:
            self._section, self._position, self._runner = section, 0, self._fresh.begin_part()
        self._position += 1
        return _Frame(self._runner, self._position - 1, picture)


class _BegunPart:
    """What has happened so far to the candidates of a part."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._lost = 0
        self._first_lost: int | None = None
        self._other_sizes: set[tuple[int, int]] = set()

    def add(self, picture: Picture) -> None:
        if picture.stored_size is not None:
            self._other_sizes.add(picture.stored_size)
        if picture.image is None:
            self._lost += 1
            if self._first_lost is None:
                self._first_lost = picture.index

    def end(self, *, is_complete: bool) -> PartEnd:
        notes = PartNotes(self._lost, self._first_lost, tuple(sorted(self._other_sizes)))
        return PartEnd(self._number, notes, is_complete)


class PipelineRun:
    """A `video_worker.analysis.AnalysisRun` in this process.

    Parameters
    ----------
    threads
        How many frames are worked on at the same time.
    keep_going
        Called after each frame and each part; if it raises, the run ends with that error.
    """

    def __init__(
        self,
        opened: OpenVideo,
        runner: DagRunner,
        request: RunRequest,
        threads: int,
        keep_going: KeepGoing | None,
    ) -> None:
        self._opened = opened
        self._open = ExitStack()
        self._open.enter_context(opened)
        self._request = request
        self._tools = _Tools(runner, request.part_frames)
        self._results = ordered_results(self._work(), _worked_on, threads)
        self._keep_going = keep_going
        self.video = opened.facts
        self.warnings = opened.warnings
        self.frames_total = _frames_total(opened.candidates, request.max_frames)
        is_known = opened.is_divisible and opened.candidates is not None
        self.complete_parts = (self.frames_total or 0) // request.part_frames if is_known else 0
        self.part_ranges = self._written(request.index_target)

    def _written(self, target: IndexTarget | None) -> PartRanges | None:
        """What the parts need, after the index was written."""
        if target is None or self.complete_parts < target.least_parts:
            return None
        found = self._opened.map(self._request.part_frames)
        if found is None:
            return None
        target.path.write_bytes(found.index)
        return found.ranges

    def __iter__(self) -> Iterator[AnalysedFrame | PartEnd]:
        with self._open:
            for item in self._results:
                yield item
                if self._keep_going is not None:
                    self._keep_going()

    def close(self) -> None:
        """End the run; frames that were begun are waited for."""
        self._results.close()
        self._open.close()

    def _work(self) -> Iterator[_Frame | PartEnd]:
        """Yield every decoded candidate, and the end of each part, until ``max_frames`` are processed."""
        done, part = self._request.frames_before, None
        for candidate, picture in self._candidates():
            part = part or _BegunPart(candidate // self._request.part_frames)
            part.add(picture)
            if picture.image is not None:
                yield self._tools.frame(candidate, picture)
                done += 1
            if self._is_last_of_part(candidate):
                yield part.end(is_complete=True)
                part = None
            if self._is_enough(done):
                break
        if part is not None:
            yield part.end(is_complete=False)
        if done == 0 and self._request.end_part is None:
            raise self._nothing_decoded()

    def _candidates(self) -> Iterable[tuple[int, Picture]]:
        """The candidates from ``first_part`` to ``end_part``, with their numbers."""
        if self._is_enough(self._request.frames_before):
            return ()
        first = self._request.first_candidate
        end = self._request.end_candidate if self._opened.is_divisible else None
        return enumerate(self._opened.frames(first, end), start=first)

    def _is_enough(self, frames: int) -> bool:
        return self._request.max_frames is not None and frames >= self._request.max_frames

    def _is_last_of_part(self, candidate: int) -> bool:
        return self._opened.is_divisible and (candidate + 1) % self._request.part_frames == 0

    def _nothing_decoded(self) -> UnreadableVideoError:
        return UnreadableVideoError(
            f"Unable to read video file: none of the frames to process (codec {self.video.codec!r}) can be "
            "decoded; upload the whole file, or convert it to H.264"
        )


def _worked_on(item: _Frame | PartEnd) -> AnalysedFrame | PartEnd:
    return item if isinstance(item, PartEnd) else item.analysed()


def _frames_total(candidates: int | None, max_frames: int | None) -> int | None:
    known = [number for number in (candidates, max_frames) if number is not None]
    return min(known, default=None)
