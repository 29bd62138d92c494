"""Readings of one text become one text, with its times and the right spelling."""

from __future__ import annotations

from random import Random
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein
from video_jobs.domain.summary import MOST_ALTERNATIVES, TextSummary
from video_worker.analysis import AnalysedFrame
from video_worker.summary.fold import summary_bytes
from video_worker.summary.frames import readings_of
from video_worker.summary.spelling import is_same, spelling_of
from video_worker.summary.votes import MOST_SPELLINGS

from tests.support.folding import folded
from tests.support.noisy_readings import Line, misread, text_frames, times, words

SIGNS = (
    "EXIT 12 NORTH",
    "Platform 9",
    "B-ZK 4711",
    "No parking",
    "Museum of Modern Art",
    "24 HOURS OPEN",
    "Main Street",
    "Max. height 2.10 m",
    "Bus 148 to Central Station",
    "Fish and chips",
)


def texts_of(frames: list[AnalysedFrame]) -> tuple[TextSummary, ...]:
    return folded(frames)[0].texts


def spans(text: TextSummary) -> list[tuple[int, int]]:
    return [(one.first_frame, one.last_frame) for one in text.intervals]


def clock(seconds: int, frames_per_second: int) -> list[Line]:
    return [
        Line(
            f"12:{minute // 60:02}:{minute % 60:02}",
            begin=minute * frames_per_second,
            end=(minute + 1) * frames_per_second,
        )
        for minute in range(seconds)
    ]


# --- times ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("frames_per_second", [5, 25, 30])
def test_a_clock_that_changes_each_second_is_right_to_the_frame(frames_per_second: int) -> None:
    lines = clock(75, frames_per_second)
    texts = texts_of(text_frames(lines, times(75 * frames_per_second, frames_per_second)))
    assert [text.text for text in texts] == [line.text for line in lines]
    assert [spans(text) for text in texts] == [[(line.begin, line.end - 1)] for line in lines]
    assert [text.start_ms for text in texts] == [1000 * second for second in range(75)]
    assert [text.end_ms for text in texts] == [1000 * (second + 1) for second in range(75)]


def test_and_to_one_frame_if_the_rate_varies() -> None:
    random, now_ms, moments = Random(5), 0.0, []
    while now_ms < 20_000:
        moments.append(round(now_ms, 3))
        now_ms += random.uniform(15, 70)
    shown = [f"08:15:{int(time // 1000):02}" for time in moments]
    lines = [
        Line(text, begin=shown.index(text), end=shown.index(text) + shown.count(text))
        for text in sorted(set(shown))
    ]
    texts = texts_of(text_frames(lines, moments))
    assert [(text.text, spans(text)) for text in texts] == [
        (line.text, [(line.begin, line.end - 1)]) for line in lines
    ]


def test_a_clock_on_sparse_frames_is_read_as_so_many_numbers_each_on_one_frame() -> None:
    texts = texts_of(text_frames(clock(20, 1), times(20, 1)))
    assert [text.text for text in texts] == [line.text for line in clock(20, 1)]
    assert all(text.on_one_frame for text in texts)


def test_a_text_that_is_hidden_for_some_seconds_is_one_text_with_two_times() -> None:
    lines = [Line("EXIT 12", begin=0, end=50), Line("EXIT 12", begin=150, end=200)]
    (text,) = texts_of(text_frames(lines, times(220)))
    assert spans(text) == [(0, 49), (150, 199)]
    assert (text.frames, text.in_view_ms) == (100, 4000)


def test_a_picture_that_stands_for_long_is_no_pause() -> None:
    moments = [*times(20), *(60_000 + time for time in times(20))]
    (text,) = texts_of(text_frames([Line("EXIT 12")], moments))
    assert (spans(text), text.in_view_ms) == ([(0, 39)], 60_800)


def test_after_a_long_time_it_is_another_text() -> None:
    lines = [Line("EXIT 12", begin=0, end=50), Line("EXIT 12", begin=350, end=400)]
    assert len(texts_of(text_frames(lines, times(420)))) == 2


def test_a_caption_that_changes_is_two_texts() -> None:
    lines = [Line("How are you?", end=50), Line("Very well, thanks", begin=50, end=90)]
    texts = texts_of(text_frames(lines, times(100)))
    assert [(text.text, spans(text)) for text in texts] == [
        ("How are you?", [(0, 49)]),
        ("Very well, thanks", [(50, 89)]),
    ]


def test_what_was_read_on_one_frame_alone_is_marked() -> None:
    texts = texts_of(text_frames([Line("EXIT", end=50), Line("/:iIl", top=400, begin=20, end=21)], times(60)))
    assert [(text.text, text.on_one_frame) for text in texts] == [("EXIT", False), ("/:iIl", True)]


# --- places -----------------------------------------------------------------------------------------


def test_equal_lines_below_each_other_stay_apart() -> None:
    lines = [Line("closed", top=100 + 30 * row) for row in range(4)]
    texts = texts_of(text_frames(lines, times(50), missed=0.2))
    assert [(text.text, text.best.xyxy[1]) for text in sorted(texts, key=lambda text: text.best.xyxy[1])] == [
        ("closed", line.top) for line in lines
    ]


@pytest.mark.parametrize(("velocity", "frames_per_second"), [(8.0, 25.0), (60.0, 2.0)])
def test_a_text_that_moves_is_one_text_with_a_path(velocity: float, frames_per_second: float) -> None:
    (text,) = texts_of(text_frames([Line("TAXI", velocity=velocity)], times(40, frames_per_second)))
    assert [(point.frame_index, point.xyxy[0]) for point in text.path] == [
        (0, 100),
        (39, 100 + 39 * velocity),
    ]


# --- spelling ---------------------------------------------------------------------------------------


def test_a_number_that_comes_back_was_misread_in_between() -> None:
    lines = [
        Line("AB 1234", end=40),
        Line("AB 1284", begin=40, end=43),
        Line("AB 1234", begin=43, end=60),
        Line("AB 9999", begin=60, end=100),
    ]
    first, second = texts_of(text_frames(lines, times(100)))
    assert (first.text, spans(first), first.frames) == ("AB 1234", [(0, 59)], 60)
    assert [(one.text, one.frames) for one in first.alternatives] == [("AB 1284", 3)]
    assert (second.text, spans(second)) == ("AB 9999", [(60, 99)])


def test_a_longer_change_is_no_misreading() -> None:
    lines = [
        Line("AB 1234", end=40),
        Line("AB 1284", begin=40, end=80),
        Line("AB 1234", begin=80, end=120),
    ]
    first, second = texts_of(text_frames(lines, times(120)))
    assert (first.text, spans(first)) == ("AB 1234", [(0, 39), (80, 119)])
    assert (second.text, spans(second)) == ("AB 1284", [(40, 79)])


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("EXIT", "EX1T", True),
        ("EXIT", "exlt", True),
        ("Main Street", "Maln Sfreet", True),
        ("12:30", "l2:3O", True),
        ("12:30", "12:31", False),
        ("Gate2", "Gate5", False),
        ("Gate 2", "Gate 3", False),
        ("9:59", "10:00", False),
        ("EXIT", "TAXI", False),
        ("", "a", False),
    ],
)
def test_which_readings_may_be_one_text(one: str, other: str, expected: bool) -> None:
    assert is_same(spelling_of(one), spelling_of(other)) is expected
    assert is_same(spelling_of(other), spelling_of(one)) is expected


def errors(found: str, truth: str) -> float:
    return Levenshtein.distance(found, truth) / len(truth)


def vote_beside_single(rate: float) -> tuple[float, float, float]:
    """The share of wrong letters in single readings and in the agreed text; how many frames that text has."""
    singles, voted, shares = [], [], []
    for seed, sign in enumerate(SIGNS * 4):
        frames = text_frames([Line(sign)], times(60), errors=rate, seed=seed)
        singles += [errors(readings_of(frame.result)[0].text, sign) for frame in frames]
        main = max(texts_of(frames), key=lambda text: text.frames)
        voted.append(errors(main.text, sign))
        shares.append(main.frames / len(frames))
    return fmean(singles), fmean(voted), fmean(shares)


@pytest.mark.parametrize(("rate", "most"), [(0.03, 0.0), (0.08, 0.01), (0.15, 0.05)])
def test_a_vote_makes_fewer_errors_than_single_readings(rate: float, most: float) -> None:
    single, voted, share = vote_beside_single(rate)
    assert single > 0.8 * rate
    assert voted <= most
    assert share > 0.8


# --- few of everything, and the same bytes ----------------------------------------------------------


def test_spellings_are_few_and_votes_are_not_lost_with_them() -> None:
    frames = text_frames([Line("Museum of Modern Art")], times(400), errors=0.15)
    text = max(texts_of(frames), key=lambda one: one.frames)
    assert len(text.alternatives) == MOST_ALTERNATIVES
    assert text.frames > MOST_SPELLINGS * 10
    assert 0 < text.agreement < 0.5


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_what_is_read_is_told_once_and_equal_readings_give_equal_bytes(seed: int) -> None:
    random = Random(seed)
    lines = [
        Line(
            misread(random, random.choice(SIGNS), 0.1)[0],
            left=random.choice([50, 300]),
            top=random.choice([50, 80, 300]),
            begin=random.randint(0, 40),
            velocity=random.choice([0, 3]),
        )
        for _ in range(4)
    ]
    frames = text_frames(lines, times(60), errors=0.1, missed=0.1, seed=seed)
    summary, _ = folded(frames)
    readings = sum(len(readings_of(frame.result)) for frame in frames)
    assert sum(text.frames for text in summary.texts) == readings
    assert [text.text_id for text in summary.texts] == list(range(1, len(summary.texts) + 1))
    assert [text.start_ms for text in summary.texts] == sorted(text.start_ms for text in summary.texts)
    assert summary_bytes(summary) == summary_bytes(folded(frames)[0])


def test_words_are_lines_by_their_numbers_and_blank_ones_are_left_out() -> None:
    blocks = [*words("EXIT 12", 10, 20, 90, 1), *words(" ", 10, 60, 90, 2), *words("NORTH", 10, 90, 80, 3)]
    one, other = readings_of({"blocks": blocks})
    assert (one.text, one.box) == ("EXIT 12", (10.0, 20.0, 94.0, 44.0))
    assert (other.text, other.confidence) == ("NORTH", 0.8)
