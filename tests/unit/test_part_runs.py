"""Single parts of a video in any order: each is what it is in one run, and little is opened again."""

from __future__ import annotations

from pathlib import Path

import pytest
from video_jobs.domain.errors import PipelineError
from video_worker.analysis import AnalysedFrame, AnalysisRun, RunRequest
from video_worker.part_runs import PartRuns
from video_worker.parts import part_lines
from video_worker.pipeline_run import PipelineRun

from tests.support.numbered_video import NumberedVideo, only
from tests.unit.test_pipeline_run import NumberReader

PART_FRAMES = 4


class Opener:
    """Opens a numbered video, and remembers at which parts."""

    def __init__(self, video: NumberedVideo, end_part: int | None = None) -> None:
        self.video, self._end_part = video, end_part
        self.opened: list[tuple[int, int]] = []

    def __call__(self, first_part: int, frames_before: int) -> AnalysisRun:
        self.opened.append((first_part, frames_before))
        request = RunRequest(
            Path("any"),
            "numbers",
            first_part=first_part,
            frames_before=frames_before,
            end_part=self._end_part,
            part_frames=PART_FRAMES,
        )
        return PipelineRun(self.video(request.path), only(NumberReader()), request, 1, None)


def lines_of(runs: PartRuns, number: int) -> list[bytes]:
    return [line for _, line in runs.lines(number)]


def part_runs(opener: Opener, first_part: int = 0) -> PartRuns:
    return PartRuns(opener(first_part, first_part * PART_FRAMES), first_part, PART_FRAMES, opener)


@pytest.mark.parametrize(
    ("wanted", "opened"),
    [
        ([0, 1, 2, 3], [(0, 0)]),
        ([0, 2, 3, 1], [(0, 0), (2, 8), (1, 4)]),
        ([3, 3], [(0, 0), (3, 12), (3, 12)]),
    ],
)
def test_a_part_is_the_same_in_any_order(wanted: list[int], opened: list[tuple[int, int]]) -> None:
    opener = Opener(NumberedVideo(17, lost={5, 9}, other_sizes={2: (8, 8)}))
    whole = [line for _, line in part_lines(opener(0, 0))]
    opener.opened.clear()
    runs = part_runs(opener)
    for number in wanted:
        found = lines_of(runs, number)
        assert len(found) > 3
        assert b"".join(found) in b"".join(whole)
        assert b'"frame_index":%d,' % (4 * number) in found[0]
    assert opener.opened == opened
    # AND only the newest run is open
    assert opener.video.open_now == 1
    runs.close()
    assert opener.video.open_now == 0


def test_the_rest_begins_with_exactly_so_many_frames() -> None:
    opener = Opener(NumberedVideo(10, lost={1}))
    runs = part_runs(opener)
    lines_of(runs, 0)
    rest = [item.frame_index for item in runs.rest(2, 7) if isinstance(item, AnalysedFrame)]
    assert rest == [8, 9]
    assert opener.opened == [(0, 0), (2, 7)]
    assert opener.video.open_now == 0


@pytest.mark.parametrize(("number", "pictures"), [(2, 10), (2, 8), (5, 10)], ids=["cut", "end", "after it"])
def test_a_part_that_is_not_complete_is_an_error(number: int, pictures: int) -> None:
    runs = part_runs(Opener(NumberedVideo(pictures), end_part=100))
    with pytest.raises(PipelineError, match=f"gave no part {number}"):
        lines_of(runs, number)
