"""A run over a video, part by part: which pictures, in which parts, with which tools."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from video_jobs.domain.errors import UnreadableVideoError
from video_jobs.domain.sampling import Sampling
from video_worker.analysis import AnalysedFrame, PartEnd, PartNotes, RunRequest
from video_worker.dag_runner import Payload
from video_worker.part_ranges import IndexTarget
from video_worker.pipeline_run import PipelineRun
from video_worker.stop_signal import StoppedError

from tests.support.numbered_video import US_A_PICTURE, NumberedVideo, only
from tests.support.sampled import selected


class NumberReader:
    """A tool that remembers frames: it reads a picture's number, and its place in the part."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.parts: list[Self] = []

    def begin_part(self) -> Self:
        self.parts.append(type(self)())
        return self.parts[-1]

    def abort(self) -> None: ...

    def run(self, payload: Payload) -> dict[str, Any]:
        self.seen.append(payload["frame_index"])
        return {"number": int(np.count_nonzero(payload["image"])), "place": payload["position"]}


def run(
    video: NumberedVideo,
    tool: NumberReader | None = None,
    threads: int = 1,
    keep_going: Callable[[], None] | None = None,
    **options: Any,
) -> PipelineRun:
    request = RunRequest(Path("any"), "numbers", **{"part_frames": 4, **options})
    opened = video(request.path, sampling=request.sampling)
    return PipelineRun(opened, only(tool or NumberReader()), request, threads, keep_going)


def outline(items: PipelineRun) -> str:
    """The frames by index, and ``|`` after a complete part, ``.`` after another; numbers are checked."""
    words = []
    for item in items:
        if isinstance(item, PartEnd):
            words.append("|" if item.is_complete else ".")
        else:
            assert item.result["number"] == item.frame_index
            assert item.timestamp_ms == item.frame_index * US_A_PICTURE / 1000
            words.append(str(item.frame_index))
    return " ".join(words)


@pytest.mark.parametrize(
    ("video", "options", "expected"),
    [
        (NumberedVideo(8), {}, "0 1 2 3 | 4 5 6 7 |"),
        (NumberedVideo(9), {}, "0 1 2 3 | 4 5 6 7 | 8 ."),
        (NumberedVideo(9, lost={2}), {}, "0 1 3 | 4 5 6 7 | 8 ."),
        (NumberedVideo(9, lost={3, 4}), {}, "0 1 2 | 5 6 7 | 8 ."),
        (NumberedVideo(9, lost={4, 5, 6, 7}), {}, "0 1 2 3 | | 8 ."),
        (NumberedVideo(9, lost={8}), {}, "0 1 2 3 | 4 5 6 7 | ."),
        (NumberedVideo(20, lost={5, 6}), {"sampling": Sampling(stride=3)}, "0 3 9 | 12 15 18 ."),
        (NumberedVideo(20, lost={6}), {"sampling": Sampling(stride=3)}, "0 3 9 | 12 15 18 ."),
        (NumberedVideo(9, lost={2}), {"max_frames": 3}, "0 1 3 |"),
        (NumberedVideo(9, lost={2}), {"max_frames": 4}, "0 1 3 | 4 ."),
        (NumberedVideo(9, lost={3}), {"max_frames": 3}, "0 1 2 ."),
        (NumberedVideo(9, lost={2}), {"max_frames": 4, "first_part": 1, "frames_before": 3}, "4 ."),
        (NumberedVideo(9), {"max_frames": 4, "first_part": 1, "frames_before": 4}, ""),
        (NumberedVideo(8), {"first_part": 2, "frames_before": 8}, ""),
        (NumberedVideo(9, lost={2}, is_divisible=False), {}, "0 1 3 4 5 6 7 8 ."),
        (NumberedVideo(8, is_divisible=False), {"max_frames": 4}, "0 1 2 3 ."),
        (NumberedVideo(13), {"end_part": 2}, "0 1 2 3 | 4 5 6 7 |"),
        (NumberedVideo(13), {"first_part": 1, "end_part": 2}, "4 5 6 7 |"),
        (NumberedVideo(13), {"first_part": 2, "end_part": 9}, "8 9 10 11 | 12 ."),
        (NumberedVideo(13, lost={4, 5, 6, 7}), {"first_part": 1, "end_part": 2}, "|"),
        (
            NumberedVideo(30),
            {"sampling": Sampling(stride=3), "first_part": 1, "end_part": 2},
            "12 15 18 21 |",
        ),
        (NumberedVideo(9, is_divisible=False), {"end_part": 1}, "0 1 2 3 4 5 6 7 8 ."),
    ],
)
@pytest.mark.parametrize("threads", [1, 3])
def test_parts_count_candidates(
    video: NumberedVideo, options: dict[str, Any], expected: str, threads: int
) -> None:
    assert outline(run(video, threads=threads, **options)) == expected
    assert video.open_now == 0


LOST = st.sets(st.integers(0, 19), max_size=19)


SAMPLINGS = st.builds(Sampling, stride=st.integers(1, 3)) | st.builds(
    Sampling,
    start_ms=st.sampled_from([None, 33.367, 100.0]),
    end_ms=st.sampled_from([None, 300.0, 500.5]),
    frames_per_second=st.sampled_from([None, 8.0, 20.0, 29.97]),
)


@given(LOST, SAMPLINGS, st.integers(1, 7), st.none() | st.integers(1, 12))
def test_a_resumed_run_gives_what_is_missing(
    lost: set[int], sampling: Sampling, part_frames: int, max_frames: int | None
) -> None:
    # GIVEN a run over a video with damaged pictures
    video = NumberedVideo(20, lost, other_sizes={3: (8, 8), 9: (4, 4)})
    options: dict[str, Any] = {
        "sampling": sampling,
        "part_frames": part_frames,
        "max_frames": max_frames,
    }
    wanted = selected([video.time_us(index) for index in range(20)], sampling)
    if lost >= set(wanted):
        return
    whole = list(run(video, **options))
    analysed = [item.frame_index for item in whole if isinstance(item, AnalysedFrame)]
    assert analysed == [index for index in wanted if index not in lost][:max_frames]
    # WHEN it is taken up again after each complete part
    frames = 0
    for place, item in enumerate(whole):
        frames += isinstance(item, AnalysedFrame)
        if isinstance(item, PartEnd) and item.is_complete:
            video.started_at.clear()
            again = run(video, first_part=item.number + 1, frames_before=frames, **options)
            # THEN it gives the rest, and begins to read there
            assert list(again) == whole[place + 1 :]
            assert video.started_at in ([], wanted[(item.number + 1) * part_frames :][:1])


def test_each_part_notes_what_happened_to_its_pictures() -> None:
    video = NumberedVideo(
        11, lost={1, 2, 8}, other_sizes={2: (64, 36), 3: (8, 8), 4: (64, 36), 5: (8, 8), 7: (64, 36)}
    )
    notes = [item.notes for item in run(video) if isinstance(item, PartEnd)]
    assert notes == [
        PartNotes(2, 1, ((8, 8), (64, 36))),
        PartNotes(0, None, ((8, 8), (64, 36))),
        PartNotes(1, 8),
    ]


@pytest.mark.parametrize("is_divisible", [True, False])
@pytest.mark.parametrize("threads", [1, 3])
def test_tools_begin_afresh_by_the_number_of_the_candidate(is_divisible: bool, threads: int) -> None:
    tool = NumberReader()
    video = NumberedVideo(20, lost={2, 4, 8, 9, 10, 11}, is_divisible=is_divisible)
    frames = [item for item in run(video, tool, threads) if isinstance(item, AnalysedFrame)]
    places = [item.result["place"] for item in frames]
    assert places == [0, 1, 2, 0, 1, 2, 0, 1, 2, 3, 0, 1, 2, 3]
    assert [sorted(part.seen) for part in tool.parts] == [
        [0, 1, 3],
        [5, 6, 7],
        [12, 13, 14, 15],
        [16, 17, 18, 19],
    ]


def test_a_run_tells_what_was_opened() -> None:
    video = NumberedVideo(20)
    for stride, max_frames, total in ((1, None, 20), (3, None, 7), (3, 5, 5)):
        opened = run(video, sampling=Sampling(stride=stride), max_frames=max_frames)
        assert (opened.video, opened.warnings, opened.frames_total) == (video.facts, (), total)
    for max_frames, complete in ((None, 5), (11, 2), (20, 5), (3, 0)):
        assert run(video, max_frames=max_frames, first_part=1).complete_parts == complete
    assert run(NumberedVideo(20, is_divisible=False)).complete_parts == 0
    unknown = replace(video, tells_length=False)
    assert run(unknown, max_frames=8).complete_parts == 0
    assert (run(unknown).frames_total, run(unknown, max_frames=5).frames_total) == (None, 5)


def test_a_run_tells_which_bytes_its_parts_take_and_writes_the_index(tmp_path: Path) -> None:
    video, target = NumberedVideo(9), IndexTarget(tmp_path / "index", least_parts=2)
    assert run(video).part_ranges is None
    assert run(video, part_frames=5, index_target=target).part_ranges is None
    assert not target.path.exists()
    ranges = run(video, index_target=target).part_ranges
    assert ranges is not None
    assert ranges.parts == (((0, 4),), ((4, 8),), ((8, 9),))
    assert target.path.read_bytes() == b"9"
    undivided = replace(video, is_divisible=False)
    assert run(undivided, index_target=replace(target, least_parts=0)).part_ranges is None


@pytest.mark.parametrize("first_part", [0, 1, 2, 3])
@pytest.mark.parametrize("lost", [range(12), range(0, 12, 2)])
def test_a_video_without_a_frame_is_unreadable_wherever_the_run_starts(first_part: int, lost: range) -> None:
    with pytest.raises(UnreadableVideoError, match="Unable to read video file"):
        list(run(NumberedVideo(12, lost), sampling=Sampling(stride=2), part_frames=2, first_part=first_part))


def test_a_run_that_is_told_to_end_ends_and_closes_the_video() -> None:
    video = NumberedVideo(20)
    items: list[AnalysedFrame | PartEnd] = []

    def keep_going() -> None:
        if len(items) == 6:
            raise StoppedError

    with pytest.raises(StoppedError):
        items.extend(run(video, threads=3, keep_going=keep_going))
    assert len(items) == 6
    assert video.open_now == 0


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("seen", [0, 1, 6, 12])
def test_a_run_that_is_closed_gives_nothing_more_and_closes_its_video(threads: int, seen: int) -> None:
    video = NumberedVideo(10)
    begun = run(video, threads=threads)
    items = iter(begun)
    for _ in range(seen):
        next(items)
    assert video.open_now == 1
    begun.close()
    assert video.open_now == 0
    assert list(items) == []
    begun.close()
