"""What a job would take, and when it would end: by the speeds that were measured, and by the queue."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from video_jobs.domain.fleet import FleetDecision, FleetLimits, FleetRecord, Workload
from video_jobs.domain.job import JobOptions
from video_jobs.domain.quotes import (
    HIGH,
    MEDIAN,
    WORKER_START,
    ClaimedVideo,
    LikelyVideo,
    QueueState,
    Quote,
    price_of,
    quote,
)
from video_jobs.domain.speeds import JobLength, JobTiming, Speed

from tests.contract.jobs import NOW
from tests.support.speeds import FACTS, TIMING, job, measured

IDLE = QueueState(waiting=0, held=0, workers=1)
MINUTE = ClaimedVideo(duration_ms=60_000, average_frame_rate=30, width=1280, height=720)
LENGTH = JobLength(mean_s=10, deviation_s=0)


def speed(*timings: JobTiming, **fields: Any) -> Speed:
    return replace(measured(*timings or [TIMING]), **fields)


def quoted(claimed: ClaimedVideo = MINUTE, *speeds: Speed, queue: QueueState = IDLE, **options: Any) -> Quote:
    return quote(claimed, JobOptions(**options), speeds or (speed(),), queue)


def video_of(claimed: ClaimedVideo, **options: Any) -> LikelyVideo:
    found = quoted(claimed, **options).video
    assert found is not None
    return found


# --- the compute time ----------------------------------------------------------------------------------


def test_the_time_is_that_of_the_frames_of_the_fetch_and_of_the_rest() -> None:
    # 1800 frames of 10 ms, 6 MB that take 3 s, and 0.5 s
    assert quoted().compute_s == pytest.approx(18 + 3 + 0.5, rel=0.05)
    assert quoted(replace(MINUTE, size_bytes=2_000_000)).compute_s == pytest.approx(18 + 1 + 0.5, rel=0.05)


@pytest.mark.parametrize(
    ("options", "frames"),
    [
        ({}, 1800),
        ({"frame_stride": 7}, 258),
        ({"max_frames": 100}, 100),
        ({"frame_stride": 7, "max_frames": 1000}, 258),
        ({"start_ms": 10_000}, 1500),
        ({"end_ms": 10_000}, 300),
        ({"start_ms": 10_000, "end_ms": 20_000, "frame_stride": 2}, 150),
        ({"end_ms": 90_000}, 1800),
        ({"start_ms": 70_000}, 0),
        ({"frames_per_second": 2}, 120),
        ({"frames_per_second": 100}, 1800),
    ],
)
def test_the_options_choose_the_frames(options: dict[str, Any], frames: int) -> None:
    assert video_of(MINUTE, **options).frames == frames
    fewer, all_of_them = quoted(**options).compute_s, quoted().compute_s
    assert fewer is not None
    assert all_of_them is not None
    assert all_of_them - fewer == pytest.approx((1800 - frames) * 0.01, rel=0.05)


def test_what_the_client_does_not_say_is_that_of_the_average_video() -> None:
    only_size = video_of(ClaimedVideo(size_bytes=3_000_000))
    assert (only_size.duration_ms, only_size.average_frame_rate, only_size.frames) == (30_000, 30, 900)
    assert only_size.assumed == ("duration_ms", "average_frame_rate")
    only_duration = video_of(ClaimedVideo(duration_ms=20_000))
    assert (only_duration.size_bytes, only_duration.frames) == (2_000_000, 600)
    assert only_duration.assumed == ("size_bytes", "average_frame_rate")
    assert video_of(replace(MINUTE, size_bytes=1)).assumed == ()


def test_no_length_is_made_up() -> None:
    unknown = job(replace(FACTS, frame_count=None, duration_ms=None))
    made = measured(TIMING, of=unknown)
    assert quoted(ClaimedVideo(size_bytes=3_000_000), made).compute_s is None
    assert quoted(ClaimedVideo(duration_ms=1000), made).compute_s is None
    told = quoted(ClaimedVideo(duration_ms=1000, average_frame_rate=10), made)
    assert told.compute_s is not None
    assert told.video is not None
    assert (told.video.size_bytes, told.video.assumed) == (None, ())


def test_the_cost_is_that_of_the_compute_time() -> None:
    assert price_of(100, Decimal("0.36")) == Decimal("0.01")
    assert price_of(100, None) is None
    assert price_of(None, Decimal("0.36")) is None


# --- what it rests on ------------------------------------------------------------------------------------


def test_nothing_measured_is_no_number() -> None:
    nothing = quote(MINUTE, JobOptions(), [], IDLE)
    assert (nothing.compute_s, nothing.end_s, nothing.video, nothing.speed) == (None, None, None, None)
    assert quoted(replace(MINUTE, width=1920, height=1080)).compute_s is None
    assert quoted(text_engine="ppocr").compute_s is None


def test_the_newest_fingerprint_counts_even_if_it_knows_less() -> None:
    slow = replace(TIMING, compute_ms=31_000, analysis_ms=30_000)
    old = speed(*[slow] * 9)
    new = speed(fingerprint="f2", measured_at=NOW + timedelta(seconds=1))
    for speeds in ((old, new), (new, old)):
        found = quoted(MINUTE, *speeds)
        assert found.speed == new
        assert found.compute_s == pytest.approx(21.5, rel=0.05)
    # AND where the newest has no such pictures, nothing is known
    elsewhere = replace(new, size_class="larger")
    assert quoted(MINUTE, old, elsewhere).compute_s is None


def test_each_choice_of_text_has_its_own_newest_fingerprint() -> None:
    other = speed(fingerprint="f2", measured_at=NOW + timedelta(days=1), texts=frozenset({"ppocr"}))
    both = (speed(texts=frozenset({"any", "tesseract"})), other)
    fingerprints = {
        engine: found.fingerprint
        for engine in (None, "tesseract", "ppocr")
        if (found := quoted(MINUTE, *both, text_engine=engine).speed)
    }
    assert fingerprints == {None: "f1", "tesseract": "f1", "ppocr": "f2"}


def test_of_unknown_size_are_the_pictures_that_most_jobs_have() -> None:
    few, many = speed(size_class="larger"), speed(TIMING, TIMING)
    for speeds in ((few, many), (many, few)):
        found = quoted(ClaimedVideo(size_bytes=1), *speeds).speed
        assert found is not None
        assert found.size_class == "1280x720"


# --- the queue -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("waiting", "held", "workers", "wait_s"),
    [
        (0, 0, 1, 0),
        (0, 1, 2, 0),
        (0, 1, 1, 5),  # half of the job that runs is over
        (1, 0, 1, 10),
        (3, 1, 1, 35),
        (0, 2, 2, 2.5),  # the first of the two to end
        (4, 2, 2, 22.5),
        (0, 5, 1, 45),  # four of these wait with a delay
    ],
)
def test_jobs_before_are_waited_for(waiting: int, held: int, workers: int, wait_s: float) -> None:
    state = QueueState(waiting=waiting, held=held, workers=workers)
    assert state.wait(LENGTH)[0] == pytest.approx(wait_s)


@given(st.integers(0, 50), st.integers(0, 9), st.integers(1, 9))
def test_more_jobs_never_shorten_and_more_workers_never_lengthen_the_wait(
    waiting: int, held: int, workers: int
) -> None:
    state = QueueState(waiting=waiting, held=held, workers=workers)
    wait_s = state.wait(LENGTH)[0]
    assert replace(state, waiting=waiting + 1).wait(LENGTH)[0] >= wait_s
    assert replace(state, workers=workers + 1).wait(LENGTH)[0] <= wait_s + 1e-9


def test_the_end_is_the_wait_and_the_work() -> None:
    found = quoted(queue=QueueState(waiting=10, held=0, workers=1, starts_in_s=60))
    assert found.end_s is not None
    assert found.compute_s is not None
    assert found.end_s[MEDIAN] == pytest.approx(60 + 10 * 4 + found.compute_s)
    # AND the more the jobs differ, the later the 95th percentile is
    mixed = speed(TIMING, replace(TIMING, compute_ms=60_000, analysis_ms=59_000))
    waiting = QueueState(waiting=10, held=0, workers=1)
    steady, unsteady = (quoted(MINUTE, one, queue=waiting).end_s for one in (speed(), mixed))
    assert steady is not None
    assert unsteady is not None
    assert steady[MEDIAN] < steady[HIGH]
    assert unsteady[HIGH] - unsteady[MEDIAN] > 100 * (steady[HIGH] - steady[MEDIAN])


# --- the fleet -----------------------------------------------------------------------------------------


def fleet(waiting: int, held: int, workers: int, raised_s_ago: float | None = None) -> QueueState:
    raised_at = None if raised_s_ago is None else NOW - timedelta(seconds=raised_s_ago)
    record = FleetRecord(decision=FleetDecision(workers=workers, raised_at=raised_at))
    limits = FleetLimits(max_workers=4, jobs_per_worker=5)
    return QueueState.of_fleet(Workload(waiting=waiting, held=held), record, limits, NOW)


def test_the_fleet_is_as_large_as_it_will_be_for_one_job_more() -> None:
    assert fleet(waiting=0, held=0, workers=0).workers == 1
    assert fleet(waiting=10, held=1, workers=1).workers == 3
    assert fleet(waiting=99, held=1, workers=1).workers == 4
    assert fleet(waiting=0, held=0, workers=3).workers == 3


def test_the_first_worker_has_to_start() -> None:
    start_s = WORKER_START.total_seconds()
    assert fleet(waiting=0, held=0, workers=0).starts_in_s == start_s
    assert fleet(waiting=1, held=0, workers=1, raised_s_ago=60).starts_in_s == start_s - 60
    assert fleet(waiting=1, held=0, workers=1, raised_s_ago=10_000).starts_in_s == 0
    assert fleet(waiting=1, held=0, workers=1).starts_in_s == 0
    assert fleet(waiting=1, held=1, workers=1, raised_s_ago=60).starts_in_s == 0


def test_where_nobody_counts_workers_those_that_work_are_there() -> None:
    assert QueueState.of_unmanaged(Workload(waiting=4, held=0)) == QueueState(waiting=4, held=0, workers=1)
    assert QueueState.of_unmanaged(Workload(waiting=4, held=3)).workers == 3
