"""Compute single parts of an open video, in any order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from video_jobs.domain.errors import PipelineError

from video_worker.analysis import AnalysedFrame, AnalysisRun, AnalysisService, KeepGoing, PartEnd, RunRequest
from video_worker.parts import part_lines


class OpenRun(Protocol):
    """Opens the video once more."""

    def __call__(self, first_part: int, frames_before: int) -> AnalysisRun:
        """A run that begins with a part; so many frames are before it, or fewer."""
        ...


def opener(pipelines: AnalysisService, request: RunRequest, keep_going: KeepGoing) -> OpenRun:
    """Opens the video of a request; its index is not written again."""

    def open_run(first_part: int, frames_before: int) -> AnalysisRun:
        again = replace(request, first_part=first_part, frames_before=frames_before, index_target=None)
        return pipelines.run(again, keep_going)

    return open_run


class PartRuns:
    """Goes on with the run that is open if it comes to the wanted part, and opens another one if not.

    Parameters
    ----------
    run, first_part
        A run that is open, and the part with which it begins.
    part_frames
        The length of a part.
    """

    def __init__(self, run: AnalysisRun, first_part: int, part_frames: int, open_run: OpenRun) -> None:
        self._run, self._next = run, first_part
        self._items = iter(run)
        self._part_frames = part_frames
        self._open_run = open_run

    def lines(self, number: int) -> Iterator[tuple[AnalysedFrame | PartEnd, bytes]]:
        """What is in a part, each with its line; the last one is the end of the part.

        Raises
        ------
        PipelineError
            If the video gives no such part.
        """
        if number != self._next:
            self._run.close()
            self._run = self._open_run(number, number * self._part_frames)
            self._items = iter(self._run)
        self._next = number + 1
        for item, line in part_lines(self._items):
            yield item, line
            if isinstance(item, PartEnd):
                if item.number == number and item.is_complete:
                    return
                break
        raise PipelineError(f"The analysis gave no part {number}")

    def close(self) -> None:
        """End the run that is open."""
        self._run.close()

    def rest(self, number: int, frames_before: int) -> AnalysisRun:
        """A run of all parts from one on, before which there are exactly so many frames."""
        self.close()
        return self._open_run(number, frames_before)
