"""Two jobs of one video, compared."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein
from video_jobs_client import Summary
from video_jobs_client.comparison import OPTIONS, Change, compare, compare_jobs
from video_jobs_client.matching import edit_distance
from video_jobs_client.models import ClassSummary, TextSummary, VideoSummary

from tests.support.sample_results import job, video_answer
from tests.support.sample_summary import CAPTION, SIGN, sample_summary

DOCUMENT = Path(__file__).parents[2] / "functions/video_api/openapi.json"
NO_OPTIONS = {*("filename", "callback_url", "size_bytes", "content_type", "upload_method", "checksum_sha256")}
"""What a submit may say that does not change the results."""


@cache
def sample() -> VideoSummary:
    return sample_summary().told


@dataclass
class Seen:
    """A summary in few words: (text, start, end), and (class, tracks, time in view, most at once)."""

    texts: Sequence[tuple[str, float, float]] = ()
    classes: Sequence[tuple[str, int, float, int]] = ()
    left_out: int = 0
    told: VideoSummary = field(default_factory=sample)

    def summary(self) -> Summary:
        return Summary(
            msgspec.structs.replace(
                self.told,
                texts=tuple(self._text(number, *one) for number, one in enumerate(self.texts, start=1)),
                classes=tuple(
                    ClassSummary(**self._class(number, *one)) for number, one in enumerate(self.classes)
                ),
                texts_left_out=self.left_out,
            )
        )

    def _text(self, number: int, text: str, start: float, end: float) -> TextSummary:
        times = {"start_ms": start, "end_ms": end, "in_view_ms": end - start}
        return msgspec.structs.replace(self.told.texts[0], text_id=number, text=text, **times)

    def _class(self, number: int, name: str, tracks: int, in_view_ms: float, most: int) -> dict[str, Any]:
        numbers = {"tracks": tracks, "in_view_ms": in_view_ms, "most_at_once": most}
        return {"class_id": number, "class_name": name, **numbers, "intervals": (), "intervals_joined": 0}


def paired(first: Sequence[tuple[str, float, float]], second: Sequence[tuple[str, float, float]]) -> Any:
    """The texts that are taken for the same, with their starts; and those that only one has."""
    found = compare(Seen(first).summary(), Seen(second).summary())
    pairs = [
        (one.first.text, one.start_ms.before, one.second.text, one.start_ms.after) for one in found.texts
    ]
    only = ([one.text for one in texts] for texts in (found.texts_only_in_first, found.texts_only_in_second))
    return pairs, *only


# --- classes ---------------------------------------------------------------------------------------


def test_classes_are_compared_by_name_in_the_order_of_names() -> None:
    first = Seen(classes=[("person", 3, 2000.0, 2), ("car", 1, 400.0, 1)])
    second = Seen(classes=[("bus", 1, 40.0, 1), ("person", 5, 1500.0, 4)])
    found = compare(first.summary(), second.summary()).classes
    assert [(one.class_name, one.only_in) for one in found] == [
        ("bus", "second"),
        ("car", "first"),
        ("person", None),
    ]
    bus, car, person = found
    assert (person.tracks, person.in_view_ms, person.most_at_once) == (
        Change(3, 5),
        Change(2000.0, 1500.0),
        Change(2, 4),
    )
    assert (person.tracks.difference, person.in_view_ms.difference) == (2, -500.0)
    assert (bus.tracks, car.tracks) == (Change(0, 1), Change(1, 0))


def test_two_classes_of_one_name_stay_two() -> None:
    found = compare(
        Seen(classes=[("car", 1, 1.0, 1), ("car", 2, 2.0, 1)]).summary(),
        Seen(classes=[("car", 4, 4.0, 1)]).summary(),
    ).classes
    assert [(one.tracks, one.only_in) for one in found] == [(Change(1, 4), None), (Change(2, 0), "first")]


# --- texts -----------------------------------------------------------------------------------------


def test_a_summary_is_equal_to_itself() -> None:
    found = compare(sample_summary(), sample_summary())
    assert [one.first.text for one in found.texts] == [CAPTION, SIGN]
    assert not any(one.is_respelled or one.has_other_times for one in found.texts)
    assert not any((found.texts_only_in_first, found.texts_only_in_second, found.warnings))
    assert found.frames == Change(100, 100)


def test_another_spelling_at_the_same_time_is_the_same_text() -> None:
    first, second = Seen([("EXIT 12", 0.0, 900.0)]), Seen([("EX1T 12", 40.0, 900.0)])
    (one,) = compare(first.summary(), second.summary()).texts
    assert (one.is_respelled, one.has_other_times) == (True, True)
    assert (one.start_ms, one.end_ms, one.in_view_ms) == (
        Change(0.0, 40.0),
        Change(900.0, 900.0),
        Change(900.0, 860.0),
    )


def test_case_and_spaces_change_the_spelling_but_not_the_text() -> None:
    (one,) = compare(
        Seen([("Gate  \uff17", 0.0, 100.0)]).summary(), Seen([("GATE 7", 90_000.0, 90_100.0)]).summary()
    ).texts
    assert one.is_respelled


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        (("EX1T 12", 1900.0, 2500.0), True),  # a second after the end
        (("EX1T 12", 2000.5, 2500.0), False),
        (("EXIT 12", 9000.0, 9900.0), True),  # the same letters
        (("E1IT 34", 500.0, 900.0), False),  # 3 of 7 letters differ
        (("EXIT 34", 500.0, 900.0), True),  # 2 of 7
    ],
)
def test_other_letters_are_the_same_text_only_if_they_are_few_and_near(
    other: tuple[str, float, float], is_same: bool
) -> None:
    sign = ("EXIT 12", 500.0, 1000.0)
    for pair in ((sign, other), (other, sign)):
        pairs, only_first, only_second = paired([pair[0]], [pair[1]])
        assert len(pairs) == is_same
        assert len(only_first) == len(only_second) == (not is_same)


def test_of_equal_texts_those_with_the_closest_starts_belong_together() -> None:
    pairs, only_first, only_second = paired(
        [("GO", 0.0, 40.0), ("GO", 5000.0, 5040.0), ("GO", 9000.0, 9040.0)],
        [("GO", 9040.0, 9080.0), ("GO", 4960.0, 5000.0)],
    )
    assert pairs == [("GO", 5000.0, "GO", 4960.0), ("GO", 9000.0, "GO", 9040.0)]
    assert (only_first, only_second) == (["GO"], [])


def test_equal_texts_are_paired_before_similar_ones_and_closer_spellings_before_others() -> None:
    pairs, only_first, only_second = paired(
        [("EXIT 10", 0.0, 900.0), ("EXIT 12", 0.0, 900.0)],
        [("EXIT 11", 0.0, 900.0), ("EXIT 12", 300.0, 900.0), ("EX1T 11", 0.0, 900.0)],
    )
    assert [(before, after) for before, _, after, _ in pairs] == [
        ("EXIT 10", "EXIT 11"),
        ("EXIT 12", "EXIT 12"),
    ]
    assert (only_first, only_second) == ([], ["EX1T 11"])


def test_texts_that_one_job_has_not_read_come_by_their_start() -> None:
    _, only_first, only_second = paired(
        [("LATE", 5000.0, 6000.0), ("EARLY", 0.0, 40.0)], [("other words", 0.0, 40.0)]
    )
    assert (only_first, only_second) == (["EARLY", "LATE"], ["other words"])


def test_a_summary_that_leaves_texts_out_is_told() -> None:
    found = compare(Seen(left_out=7).summary(), Seen().summary())
    assert [warning.split(":")[0] for warning in found.warnings] == ["The first summary leaves out 7 texts"]


words = st.text("abEX1 ", max_size=9)


@given(words, words, st.integers(0, 9))
def test_the_distance_is_that_of_rapidfuzz(one: str, other: str, most: int) -> None:
    distance = Levenshtein.distance(one, other)
    assert edit_distance(one, other, most) == (distance if distance <= most else None)


@given(*[st.lists(st.tuples(words, st.floats(0, 5000), st.floats(0, 900)), max_size=6)] * 2)
def test_each_text_is_in_one_pair_or_left_over(
    first: list[tuple[str, float, float]], second: list[tuple[str, float, float]]
) -> None:
    one, other = ([(text, start, start + long) for text, start, long in texts] for texts in (first, second))
    pairs, only_first, only_second = paired(one, other)
    assert sorted([pair[0] for pair in pairs] + only_first) == sorted(text for text, *_ in first)
    assert sorted([pair[2] for pair in pairs] + only_second) == sorted(text for text, *_ in second)


# --- jobs ------------------------------------------------------------------------------------------


def test_the_options_are_those_of_the_api_that_change_results() -> None:
    schemas = json.loads(DOCUMENT.read_text(encoding="utf-8"))["components"]["schemas"]
    assert set(OPTIONS) == schemas["SubmitRequest"]["properties"].keys() - NO_OPTIONS
    assert set(OPTIONS) <= schemas["Job"]["properties"].keys()


def test_options_and_models_that_differ_are_told_by_name() -> None:
    plugins = {"yolo": {"version": "1.1.0", "classes": ["car"]}, "signs": {"version": "2"}}
    other = {"id": "fedcba9876543210", "opencv": "4.12.0", "plugins": plugins}
    found = compare_jobs(job(), job(frame_stride=5, languages=["deu"], fingerprint=other))
    assert [(one.name, one.before, one.after) for one in found.options] == [
        ("frame_stride", 3, 5),
        ("languages", (), ("deu",)),
    ]
    assert [(one.name, one.before, one.after) for one in found.fingerprint][:3] == [
        ("id", "0123456789abcdef", "fedcba9876543210"),
        ("plugins.ocr.version", "1.0.0", None),
        ("plugins.signs.version", None, "2"),
    ]
    assert [one.name for one in found.fingerprint][3:] == ["plugins.yolo.classes", "plugins.yolo.version"]
    assert found.warnings == ()


def test_a_job_is_run_as_itself() -> None:
    found = compare_jobs(job(), job())
    assert (found.options, found.fingerprint, found.warnings) == ((), (), ())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"size_bytes": 1}, "size in bytes 70000 and 1"),
        ({"video": video_answer(duration_ms=9.0)}, "duration in milliseconds 1300.0 and 9.0"),
        ({"video": video_answer(width=320, height=180)}, "width 640 and 320; height 360 and 180"),
    ],
)
def test_jobs_of_different_videos_are_told(changes: dict[str, Any], words: str) -> None:
    (warning,) = compare_jobs(job(), job(**changes)).warnings
    assert warning == f"The jobs seem to be of different videos: {words}"


@pytest.mark.parametrize(
    "changes", [{"size_bytes": None}, {"video": None}, {"video": video_answer(duration_ms=None)}]
)
def test_what_is_not_known_is_no_difference_of_videos(changes: dict[str, Any]) -> None:
    assert compare_jobs(job(), job(**changes)).warnings == ()
    assert compare_jobs(job(**changes), job()).warnings == ()
