"""What jobs add to the measured speeds, and what is read from them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from video_jobs.domain.histogram import bucket_of, quantile
from video_jobs.domain.job import Job
from video_jobs.domain.region import Region
from video_jobs.domain.speeds import (
    HALVES_EVERY,
    JobLength,
    JobTiming,
    Speed,
    asked_text,
    size_class_of,
)
from video_jobs.domain.text_engines import TextChoice

from tests.contract.jobs import NOW
from tests.support.speeds import FACTS, JOB, TIMING, job, measured, summed

# --- histograms --------------------------------------------------------------------------------------


@given(st.floats(1, 1e9), st.floats(0, 1))
def test_a_single_value_is_found_again_within_a_twentieth(value: float, share: float) -> None:
    assert quantile({bucket_of(value): 3}, share) == pytest.approx(value, rel=0.05)


@given(st.lists(st.floats(1, 1e6), min_size=1, max_size=50), st.floats(0.01, 0.99))
def test_a_quantile_is_that_of_the_values_within_a_twentieth(values: list[float], share: float) -> None:
    counts: dict[int, int] = {}
    for value in values:
        counts[bucket_of(value)] = counts.get(bucket_of(value), 0) + 1
    found = quantile(counts, share)
    assert sum(value <= found * 1.1 for value in values) >= share * len(values) - 1e-6
    assert sum(value >= found / 1.1 for value in values) >= (1 - share) * len(values) - 1e-6


def test_a_histogram_of_nothing_has_no_quantile() -> None:
    with pytest.raises(ValueError, match="nothing was counted"):
        quantile({3: 0}, 0.5)


# --- what a job adds ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "region", "expected"),
    [
        ((640, 360), None, "640x360"),
        ((640, 361), None, "1280x720"),
        ((720, 1280), None, "1280x720"),
        ((1920, 1080), None, "1920x1080"),
        ((3840, 2160), None, "3840x2160"),
        ((4096, 2160), None, "larger"),
        ((3840, 2160), Region(0, 0.5, 0.5, 1), "1920x1080"),
    ],
)
def test_pictures_are_classed_by_the_pixels_that_are_analysed(
    size: tuple[int, int], region: Region | None, expected: str
) -> None:
    assert size_class_of(*size, region) == expected


def test_a_job_adds_its_times_under_its_fingerprint_and_class() -> None:
    speed = measured(TIMING)
    assert (speed.pipeline_id, speed.fingerprint, speed.size_class) == ("yolo_ocr", "f1", "1280x720")
    assert (speed.texts, speed.measured_at) == (frozenset({"any"}), NOW)
    assert (speed.sum_of("jobs"), speed.sum_of("frames")) == (1, 300)
    assert speed.frame_ms(0.5, spacing=1) == pytest.approx(10, rel=0.05)
    assert speed.fixed_ms(0.5) == pytest.approx(500, rel=0.05)


@pytest.mark.parametrize(
    ("timing", "of"),
    [
        (replace(TIMING, frames=0), JOB),
        (TIMING, replace(JOB, video=None)),
        (TIMING, replace(JOB, fingerprint=None)),
    ],
    ids=["no frames", "no video", "no fingerprint"],
)
def test_a_job_of_which_nothing_is_known_adds_nothing(timing: JobTiming, of: Job) -> None:
    assert Speed.of_job(of, timing, NOW) is None


def test_a_video_whose_length_is_not_known_adds_no_length() -> None:
    speed = measured(TIMING, of=job(replace(FACTS, frame_count=None, duration_ms=None)))
    assert [speed.sum_of(name) for name in ("video_ms", "video_bytes", "video_pictures")] == [0, 0, 0]
    assert speed.sum_of("jobs") == 1


def test_the_choices_of_text_are_told_apart() -> None:
    assert asked_text(TextChoice()) == "any"
    assert asked_text(TextChoice("ppocr")) == "ppocr"
    assert asked_text(TextChoice("tesseract", ("eng", "deu"))) == "tesseract eng deu"


def test_a_clock_that_was_set_back_adds_no_negative_time() -> None:
    speed = measured(replace(TIMING, compute_ms=1000))
    assert speed.fixed_ms(0.5) == pytest.approx(1, rel=0.05)


# --- what is read ------------------------------------------------------------------------------------


def test_slow_jobs_are_seen_in_the_95th_percentile_only() -> None:
    slow = replace(TIMING, compute_ms=31_000, analysis_ms=30_000)
    speed = measured(*[TIMING] * 9, slow)
    assert speed.frame_ms(0.5, 1) == pytest.approx(10, rel=0.05)
    assert speed.frame_ms(0.95, 1) == pytest.approx(100, rel=0.05)


def test_a_short_job_counts_less_and_a_long_one_no_more_than_256_frames() -> None:
    short = JobTiming(compute_ms=2000, fetch_ms=0, analysis_ms=1000, frames=10)  # 100 ms a frame
    long = JobTiming(compute_ms=10_000_000, fetch_ms=0, analysis_ms=10_000_000, frames=1_000_000)  # 10 ms
    assert measured(*[short] * 20, long).frame_ms(0.5, 1) == pytest.approx(10, rel=0.05)
    assert measured(*[short] * 30, long).frame_ms(0.5, 1) == pytest.approx(100, rel=0.05)


def test_frames_that_are_far_apart_have_a_time_of_their_own() -> None:
    dense = measured(TIMING)
    sparse = JobTiming(compute_ms=3000, fetch_ms=0, analysis_ms=2000, frames=10)  # 200 ms a frame
    both = measured(sparse, of=job(frame_stride=30)).added_to(dense)
    for spacing, expected in ((1, 10), (2, 10), (5, 10), (8, 200), (30, 200), (10_000, 200)):
        assert both.frame_ms(0.5, spacing) == pytest.approx(expected, rel=0.05), spacing
    assert measured(sparse, of=job(frames_per_second=1)).added_to(dense) == both


def test_what_was_measured_a_while_ago_counts_half() -> None:
    fast, slow = TIMING, replace(TIMING, compute_ms=31_000, analysis_ms=30_000)
    speed = summed([measured(slow, slow, slow), measured(fast, at=NOW + 2 * HALVES_EVERY)])
    assert speed.frame_ms(0.5, 1) == pytest.approx(10, rel=0.05)
    assert (speed.sum_of("jobs"), speed.sum_of("frames")) == (4, 1200)
    length = JobLength.of([speed])
    assert length is not None
    assert length.mean_s == pytest.approx((3 * 31 + 4 * 4) / 7)


def test_the_counters_fit_into_a_number_of_dynamodb_for_many_years() -> None:
    longest = JobTiming(compute_ms=11 * 3_600_000, fetch_ms=0, analysis_ms=1, frames=10**7)
    speed = Speed.of_job(JOB, longest, NOW + timedelta(days=20 * 365))
    assert speed is not None
    assert max(speed.counters.values()) * 10**6 < 10**38


def test_the_length_of_a_job_is_that_of_all_that_were_measured() -> None:
    short, long = (replace(TIMING, compute_ms=ms) for ms in (4000, 6000))
    length = JobLength.of([measured(short), measured(long)])
    assert length is not None
    assert [length.mean_s, length.deviation_s] == pytest.approx([5, 1])
    assert JobLength.of([]) is None
