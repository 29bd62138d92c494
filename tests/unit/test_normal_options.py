"""What a job may choose of pictures and objects: what is the same choice, and what is none."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from video_jobs.application import VideoJobs
from video_jobs.bindings import Ports
from video_jobs.domain.errors import IdempotencyMismatchError, InvalidRequestError
from video_jobs.domain.job import Job, JobOptions
from video_jobs.domain.normal_options import normalised
from video_jobs.domain.region import Region
from video_jobs.domain.rules import Rules
from video_jobs.use_cases.intake import Submission

from tests.support.clock import ManualClock
from tests.support.option_bodies import option_bodies, options_of, told_otherwise

NARROW = {
    "classes": ("car", "person"),
    "min_confidence": 0.5,
    "region": Region(0.0, 0.5, 1.0, 1.0),
    "start_ms": 1000.0,
    "end_ms": 3000.0,
    "frames_per_second": 2.0,
}
"""One value of each option."""


def submitted(options: JobOptions, app: VideoJobs | None = None) -> Job:
    """The job of a request under a key."""
    app = app or VideoJobs(Ports.in_memory(ManualClock()), Rules())
    return app.intake.submit_form(10, Submission(owner="ann", options=options, idempotency_key="k"))[0]


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ({}, {}),
        (NARROW, NARROW),
        ({"classes": ("person", "car", "person")}, {"classes": ("car", "person")}),
        ({"min_confidence": 0}, {"min_confidence": 0.0}),
        ({"region": Region(0, 0, 1, 1)}, {}),
        ({"region": Region(-0.0, 1e-9, 1, 0.9999999)}, {}),
        ({"region": Region(0, 1 / 3, 1, 1)}, {"region": Region(0.0, 0.333333, 1.0, 1.0)}),
        ({"start_ms": 0, "end_ms": 0.0006}, {"end_ms": 0.001}),
        ({"start_ms": -0.0}, {}),
        ({"start_ms": 0.0004}, {}),
        ({"start_ms": 33.3666666, "end_ms": 33.3676}, {"start_ms": 33.367, "end_ms": 33.368}),
        ({"frames_per_second": 30000 / 1001}, {"frames_per_second": 29.97003}),
    ],
)
def test_equal_choices_have_one_form(given: dict[str, Any], normal: dict[str, Any]) -> None:
    found = normalised(JobOptions(**given))
    assert repr(found) == repr(JobOptions(**normal))  # a hash takes 1 for another number than 1.0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"start_ms": 1000.0, "end_ms": 1000.0},
            r"end_ms: give a time after start_ms \(1000.0\), not 1000.0",
        ),
        ({"start_ms": 5.0001, "end_ms": 5.0002}, r"after start_ms \(5.0\), not 5.0"),
        ({"end_ms": 0.0004}, r"after start_ms \(0.0\), not 0.0"),
        ({"region": Region(0.5, 0, 0.5, 1)}, r"region: \[0.5, 0.0, 0.5, 1.0\] is empty; give .* x1 < x2"),
        ({"region": Region(0, 0.9, 1, 0.2)}, "region: .* y1 < y2"),
        ({"region": Region(0, 0, 1e-7, 1)}, "region: .* is empty"),
        ({"frames_per_second": 1e-7}, "frames_per_second: give at least 0.000001, not 1e-07"),
    ],
)
def test_a_choice_of_nothing_is_told_so(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidRequestError, match=words):
        normalised(JobOptions(**options))


@pytest.mark.parametrize("name", NARROW)
def test_a_worker_that_knows_the_format_before_leaves_the_job(name: str) -> None:
    assert submitted(JobOptions(**{name: NARROW[name]})).needs == 4  # type: ignore[arg-type]


def test_a_choice_that_changes_nothing_is_for_any_worker() -> None:
    assert submitted(JobOptions(region=Region(0, 0, 1, 1), start_ms=0)).needs == 1


@pytest.mark.parametrize(
    ("options", "known"),
    [
        ({"classes": ("person", "car")}, "e138ecdb079a4ecc18d0fae1d585ab996bb403f7849cd80cbdea048fb49a3693"),
        ({"min_confidence": 0.5}, "bff8b53b7c03d7118413325876de1d5cc820eaf5630cfc45b206c60bd6beb9ce"),
        (
            {"region": Region(0, 0.5, 1, 1)},
            "b07af50057568bffee5165fea27881f502a56e87f67d61e5e95f7f84b673f2d0",
        ),
        ({"start_ms": 1000}, "c6e5f644d591d7d0b01cf0a0c0db256ebb26bcc8b71eab1fd477d5726e331b9a"),
        ({"end_ms": 3000}, "96963fef7fd9199311367f2f401d719406b381e72d860e2ff0d7f308f19bf07d"),
        ({"frames_per_second": 2}, "ad9cc62c6ede152c50fb0a8322ded7dcd6eca0cdf6d7b13d7e7c5fe548e9ecd6"),
        (
            NARROW | {"max_frames": 9, "languages": ("eng",)},
            "3978fdc6648d8f0fb2649de79ca2252f67a19e04af4c402cccfb3cecc5c44071",
        ),
    ],
    ids=[*NARROW, "all"],
)
def test_a_request_keeps_its_hash(options: dict[str, Any], known: str) -> None:
    assert submitted(JobOptions(**options)).request_hash == known


CHOICES = [{}, *({name: value} for name, value in NARROW.items())]
CHOICES += [{"classes": ("car",)}, {"min_confidence": 0.0}, {"start_ms": 3000.0}, {"end_ms": 1000.0}]


@pytest.mark.parametrize(("first", "other"), list(combinations(CHOICES, 2)))
def test_another_choice_is_another_request(first: dict[str, Any], other: dict[str, Any]) -> None:
    app = VideoJobs(Ports.in_memory(ManualClock()), Rules())
    submitted(JobOptions(**first), app)
    with pytest.raises(IdempotencyMismatchError):
        submitted(JobOptions(**other), app)


@given(option_bodies())
def test_a_request_that_means_the_same_is_the_same(body: dict[str, Any]) -> None:
    options = options_of(body)
    assert normalised(options) == options
    assert submitted(options_of(told_otherwise(body))) == submitted(options)


@given(option_bodies(), option_bodies())
def test_only_equal_options_have_equal_hashes(body: dict[str, Any], other: dict[str, Any]) -> None:
    first, second = submitted(options_of(body)), submitted(options_of(other))
    assert (first.request_hash == second.request_hash) == (first.options == second.options)
