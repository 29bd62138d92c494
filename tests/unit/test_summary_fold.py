"""The fold: the same bytes from whatever the frames come in, times and numbers as told, few of everything."""

from __future__ import annotations

import gc
import json
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from video_jobs.domain.summary import MOST_INTERVALS, Summary
from video_worker.analysis import AnalysedFrame
from video_worker.results_serializer import frame_line, part_line, read_frame
from video_worker.summary.fold import FrameTracks, SummaryFold, summary_bytes
from video_worker.summary.frames import detections_of, readings_of
from video_worker.summary.longest import Longest

from tests.support.folding import folded, video_facts
from tests.support.noisy_readings import Line, text_frames, times, words
from tests.support.tracking_scenes import Scene, TrueFrame, crossings, even_times, filmed, uneven_times

PERSON, CAR = (0, "person"), (2, "car")
STEP_MS = 40.0


def detection(x: float, kind: tuple[int, str] = PERSON, confidence: float = 0.9) -> dict[str, Any]:
    box = [x, 100.0, x + 50, 220.0]
    return {"xyxy": box, "confidence": confidence, "class_id": kind[0], "class_name": kind[1]}


def frames_with(shown: Sequence[Sequence[dict[str, Any]]], step_ms: float = STEP_MS) -> list[AnalysedFrame]:
    return [AnalysedFrame(n, round(n * step_ms, 3), {"detections": list(d)}) for n, d in enumerate(shown)]


def scene_frames(seed: int, *, uneven: bool) -> list[TrueFrame]:
    scene = crossings()
    times = uneven_times(6) if uneven else even_times(6)
    return list(filmed(Scene(scene.name, scene.actors, 6), times, seed))


# --- the same bytes ---------------------------------------------------------------------------------


@pytest.mark.no_cover  # the tracer would only slow it down
@settings(max_examples=15)
@given(st.integers(0, 1000), st.booleans())
def test_frames_and_the_lines_of_their_parts_give_the_same_bytes(seed: int, uneven: bool) -> None:
    frames = [frame.analysed for frame in scene_frames(seed, uneven=uneven)]
    summary, tracks = folded(frames)
    again, same_tracks = folded(read_frame(part_line(frame))[1] for frame in frames)
    assert summary_bytes(summary) == summary_bytes(again)
    assert tracks == same_tracks


NUMBERS = st.floats(-100, 4000, allow_nan=False)


@given(st.lists(NUMBERS, min_size=4, max_size=4), st.floats(0, 1), st.floats(0, 100))
def test_what_is_folded_is_rounded_as_in_the_results(
    edges: list[float], confidence: float, percent: float
) -> None:
    result = {
        "detections": [detection(0) | {"xyxy": edges, "confidence": confidence}],
        "blocks": words("EXIT", 10, 20, percent, 1),
    }
    stored = json.loads(frame_line(result))
    assert detections_of(result) == detections_of(stored)
    assert readings_of(result) == readings_of(stored)


@pytest.mark.parametrize(
    "other", ["many", 3, [1], [{}], [{"xyxy": [1, 2]}], [{"text": None}], [{"text": "EXIT"}], {"a": 1}]
)
def test_what_a_plugin_gives_in_a_form_of_its_own_is_not_in_the_summary(other: object) -> None:
    result = {"detections": other, "blocks": other}
    assert (detections_of(result), readings_of(result)) == ((), ())


def test_the_summary_is_one_line_of_canonical_json() -> None:
    line = summary_bytes(folded(frames_with([[detection(n)] for n in range(9)]))[0])
    told = json.loads(line)
    assert line == json.dumps(told, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    assert told["version"] == 1


def test_the_bytes_are_what_the_types_say() -> None:
    frames = [
        AnalysedFrame(n, n * 33.367, {**text.result, **seen.analysed.result})
        for n, (seen, text) in enumerate(
            zip(
                scene_frames(1, uneven=False),
                text_frames([Line("EXIT 12")], times(180), errors=0.05),
                strict=True,
            )
        )
    ]
    summary = folded(frames)[0]
    line = summary_bytes(summary)
    assert min(len(summary.tracks), len(summary.texts), len(summary.classes)) > 0
    assert msgspec.json.decode(line, type=Summary) == summary
    assert TypeAdapter(Summary).validate_json(line) == summary


def test_the_example_of_the_documentation_is_what_the_fold_gives() -> None:
    frames = text_frames([Line("EXIT 12", left=600, top=60, begin=20, end=80)], times(100))
    for frame in frames[10:60]:
        left = 100.0 + 4 * frame.frame_index
        frame.result["detections"] = [detection(left) | {"xyxy": [left, 200.0, left + 60, 360.0]}]
    for frame in frames[30:33]:
        frame.result["blocks"] = words("EX1T 12", 600, 60, 70.0, 1)
    page = (Path(__file__).parents[2] / "docs" / "summary.md").read_text(encoding="utf-8")
    example = page.split("```json\n")[1].split("```")[0]
    assert json.loads(example) == json.loads(summary_bytes(folded(frames, video_facts(4000.0))[0]))


# --- exact tracks -----------------------------------------------------------------------------------


@given(
    st.integers(0, 10**6), st.integers(1, 60), st.sampled_from([-5.0, 0.0, 0.001, 20.0, 40.0, 300.0, 2000.0])
)
def test_every_frame_comes_once_in_order_with_an_entry_for_each_detection(
    seed: int, count: int, step_ms: float
) -> None:
    random = Random(seed)
    shown = [
        [
            detection(random.uniform(0, 600), random.choice([PERSON, CAR]), random.uniform(0, 1))
            for _ in range(random.randint(0, 4))
        ]
        for _ in range(count)
    ]
    frames = frames_with(shown, step_ms)
    summary, tracks = folded(frames)
    assert [found.frame_index for found in tracks] == [frame.frame_index for frame in frames]
    assert [len(found.track_ids) for found in tracks] == [len(detections) for detections in shown]
    assert seen_frames(tracks) == {track.track_id: track.frames for track in summary.tracks}
    first_seen = list(dict.fromkeys(number for found in tracks for number in found.track_ids if number))
    assert first_seen == list(range(1, len(first_seen) + 1))


def seen_frames(tracks: Sequence[FrameTracks]) -> dict[int, int]:
    numbers = [number for found in tracks for number in found.track_ids if number]
    return {number: numbers.count(number) for number in numbers}


def test_frames_are_given_out_within_a_second_of_video() -> None:
    given_out: list[FrameTracks] = []
    fold = SummaryFold(given_out.append)
    for added, frame in enumerate(frames_with([[detection(100, confidence=0.3)]] * 200)):
        fold.add(frame)
        assert added - len(given_out) <= 1000 / STEP_MS + 2


# --- times ------------------------------------------------------------------------------------------


def test_times_end_where_the_next_frame_begins() -> None:
    shown = [[], [], *[[detection(100 + n)] for n in range(10)], [], []]
    (track,) = folded(frames_with(shown))[0].tracks
    assert (track.first_frame, track.last_frame, track.frames) == (2, 11, 10)
    assert (track.start_ms, track.end_ms, track.in_view_ms) == (80, 480, 400)


@pytest.mark.parametrize(
    ("duration_ms", "end_ms"), [(None, 240), (1000, 240), (215.5, 215.5), (10, 200)], ids=str
)
def test_the_last_frame_ends_with_the_video(duration_ms: float | None, end_ms: float) -> None:
    frames = frames_with([[detection(100)]] * 6)
    assert folded(frames, video_facts(duration_ms))[0].tracks[0].end_ms == end_ms


def test_a_video_of_one_frame_is_told_by_its_frame_rate() -> None:
    summary, tracks = folded(frames_with([[detection(100)]]), video_facts(average_frame_rate=25.0))
    assert summary.sampling_interval_ms is None
    assert tracks == [FrameTracks(0, (1,))]
    assert summary.tracks[0].in_view_ms == 40


def test_a_video_without_frames_or_detections_is_empty() -> None:
    for frames in ([], frames_with([[]] * 3), [AnalysedFrame(0, 0.0, {"text": "no detector"})]):
        summary, tracks = folded(frames)
        assert (summary.frames, len(tracks)) == (len(frames), len(frames))
        assert (summary.tracks, summary.classes) == ((), ())


def test_what_is_missed_for_a_moment_stays_in_view_and_a_longer_pause_is_told() -> None:
    there, gone = [detection(100)], list[dict[str, Any]]()
    moment = folded(frames_with([there] * 10 + [gone] * 10 + [there] * 10))[0].tracks
    pause = folded(frames_with([there] * 10 + [gone] * 20 + [there] * 10))[0].tracks
    assert [[(one.first_frame, one.last_frame) for one in track.intervals] for track in moment] == [[(0, 29)]]
    assert [[(one.first_frame, one.last_frame) for one in track.intervals] for track in pause] == [
        [(0, 9), (30, 39)]
    ]
    assert (moment[0].in_view_ms, pause[0].in_view_ms) == (1200, 800)


def test_a_class_is_in_view_while_any_of_it_is_and_tells_the_most_at_once() -> None:
    one, two = [detection(100)], [detection(100), detection(400)]
    other = [detection(700, CAR)]
    shown = [one] * 10 + [two] * 10 + [other] * 30 + [one] * 10
    summary, _ = folded(frames_with(shown))
    assert [(each.class_name, each.tracks, each.most_at_once) for each in summary.classes] == [
        ("car", 1, 1),
        ("person", 2, 2),
    ]
    person = summary.classes[1]
    assert [(part.start_ms, part.end_ms, part.most_at_once) for part in person.intervals] == [
        (0, 800, 2),
        (2000, 2400, 1),
    ]
    assert person.in_view_ms == 1200


def test_the_best_moment_is_the_large_and_confident_one() -> None:
    shown = [[detection(100 + n, confidence=0.9 if n == 7 else 0.6)] for n in range(10)]
    best = folded(frames_with(shown))[0].tracks[0].best
    assert (best.frame_index, best.timestamp_ms, best.confidence) == (7, 280, 0.9)
    assert best.xyxy == (107.0, 100.0, 157.0, 220.0)


# --- few of everything ------------------------------------------------------------------------------


def test_the_summary_does_not_grow_with_the_frames() -> None:
    def size(seconds: int) -> int:
        frames = frames_with([[detection(300 + Random(n).uniform(-2, 2))] for n in range(25 * seconds)])
        return len(summary_bytes(folded(frames)[0]))

    assert size(80) < 1.1 * size(20)


@pytest.mark.no_cover  # the tracer would only slow it down
def test_the_memory_does_not_grow_with_the_frames() -> None:
    fold = SummaryFold(lambda _: None)
    lines = [Line("EXIT 12"), Line("Main Street", top=300)]
    frames = text_frames(lines, times(1200), missed=0.02)
    for frame in frames:
        x = 300 + Random(frame.frame_index).uniform(-2, 2)
        frame.result["detections"] = [detection(x), detection(x + 200, confidence=0.3)]
    tracemalloc.start()
    sizes = []
    for number, frame in enumerate(frames):
        fold.add(frame)
        if number in (300, 1199):
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert sizes[1] - sizes[0] < 30_000


def test_pauses_beyond_the_limit_are_joined_and_counted_and_the_time_in_view_stays_right() -> None:
    times = 2 * MOST_INTERVALS
    shown = ([[detection(100)]] * 3 + [list[dict[str, Any]]()] * 20) * times
    (track,) = folded(frames_with(shown))[0].tracks
    assert len(track.intervals) == MOST_INTERVALS
    assert track.intervals_joined == times - MOST_INTERVALS
    assert track.in_view_ms == times * 3 * STEP_MS


def test_those_that_were_longest_in_view_are_kept_and_of_equals_the_earlier() -> None:
    longest: Longest[str] = Longest(2)
    for in_view_us, name in [(5, "a"), (1, "b"), (5, "c"), (5, "d"), (3, "e")]:
        longest.add(in_view_us, name)
    assert sorted(longest.entries()) == ["a", "c"]
    assert longest.left_out == 3
