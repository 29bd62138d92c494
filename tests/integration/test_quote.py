"""`POST /video/quote` over HTTP events, and the worker that keeps the speeds it rests on."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from video_jobs.application import VideoJobs
from video_jobs.domain.errors import FleetError, TransientError
from video_jobs.domain.fleet import FleetDecision, FleetRecord
from video_jobs.domain.job import Job
from video_jobs.domain.quotes import ClaimedVideo
from video_jobs.domain.speeds import Speed
from video_worker.job_worker import JobWorker, Outcome
from video_worker.metrics import AttemptMetrics
from video_worker.stop_signal import StopSignal

from functions.video_api import answer_models
from tests.contract.jobs import NOW
from tests.fixtures.make_tiny_mp4 import FRAMES
from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.integration.conftest import call, load_event, logged, refusal
from tests.support import videos
from tests.support.speeds import JOB, TIMING, measured
from tests.support.worker_world import World, misbehave, on_frame

NOTHING_KNOWN = {
    "compute_seconds": None,
    "cost_usd": None,
    "seconds_to_end": {"p50": None, "p95": None},
    "video": None,
    "based_on": {
        "fingerprint": None,
        "size_class": None,
        "jobs": 0,
        "frames": 0,
        "jobs_waiting": 0,
        "jobs_running": 0,
        "workers": 1,
    },
}


def asked(**body: Any) -> dict[str, Any]:
    return load_event("quote") | {"body": json.dumps(body)}


def quoted(**body: Any) -> dict[str, Any]:
    status, answer = call(asked(**body))
    assert status == 200, answer
    answer_models.Quote.model_validate(answer)
    return answer


def measure(app: VideoJobs, job: Job = JOB) -> None:
    app.ports.speeds.add(measured(TIMING, of=job))


# --- the route -----------------------------------------------------------------------------------------


def test_before_the_first_job_nothing_is_known(app: VideoJobs) -> None:
    assert quoted(size_bytes=1000) == NOTHING_KNOWN
    assert quoted(duration_ms=1000, average_frame_rate=30, width=640, height=360) == NOTHING_KNOWN


def test_a_measured_job_gives_numbers(app: VideoJobs) -> None:
    app.ports.fleet_records.take("a", until=NOW, now=NOW)
    app.ports.fleet_records.settle("a", FleetRecord(decision=FleetDecision(workers=2)))
    measure(app)
    answer = quoted(size_bytes=3_000_000, width=1280, height=720, frame_stride=1)
    seconds = 900 * 0.01 + 1.5 + 0.5
    assert answer["compute_seconds"] == pytest.approx(seconds, rel=0.05)
    assert answer["seconds_to_end"]["p50"] == answer["compute_seconds"]
    assert answer["seconds_to_end"]["p95"] == pytest.approx(seconds, rel=0.1)
    assert answer["video"] == {
        "size_bytes": 3_000_000,
        "duration_ms": 30_000,
        "average_frame_rate": 30,
        "frames": 900,
        "assumed": ["duration_ms", "average_frame_rate"],
    }
    assert answer["based_on"] == {
        "fingerprint": "f1",
        "size_class": "1280x720",
        "jobs": 1,
        "frames": 300,
        "jobs_waiting": 0,
        "jobs_running": 0,
        "workers": 2,
    }


def test_the_cost_is_that_of_the_workers_price(app: VideoJobs) -> None:
    measure(app)
    facts = {"duration_ms": 60_000, "average_frame_rate": 30}
    app.rules = replace(app.rules, worker_usd_per_hour=Decimal("3.6"))
    answer = quoted(**facts)
    assert answer["cost_usd"] == pytest.approx(answer["compute_seconds"] / 1000, rel=0.01)


def test_without_a_price_all_but_the_cost_is_known(app: VideoJobs) -> None:
    measure(app)
    app.rules = replace(app.rules, worker_usd_per_hour=None)
    answer = quoted(duration_ms=60_000)
    assert answer["cost_usd"] is None
    assert answer["compute_seconds"] > 0


def test_jobs_before_it_are_waited_for(app: VideoJobs) -> None:
    measure(app)
    alone = quoted(duration_ms=10_000)
    for number in range(4):
        app.ports.queue.enqueue(f"job-{number}", 1)
    app.ports.queue.dequeue()
    behind = quoted(duration_ms=10_000)
    assert (behind["based_on"]["jobs_waiting"], behind["based_on"]["jobs_running"]) == (3, 1)
    assert behind["compute_seconds"] == alone["compute_seconds"]
    # no worker is left to start, so what is before is 3 jobs of 4 s and half of one
    before = behind["seconds_to_end"]["p50"] - behind["compute_seconds"]
    assert before == pytest.approx(3 * 4 + 2)


def test_an_option_that_means_the_same_finds_the_same_speed(app: VideoJobs) -> None:
    chosen = replace(JOB, options=replace(JOB.options, text_engine="tesseract", languages=("eng",)))
    measure(app, chosen)
    assert quoted(duration_ms=1000, languages=["eng"])["based_on"]["jobs"] == 1
    assert quoted(duration_ms=1000, languages=["eng"], region=[0, 0, 1, 1])["based_on"]["jobs"] == 1
    assert quoted(duration_ms=1000)["based_on"]["jobs"] == 0


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "invalid_request"),
        ({"size_bytes": 0}, 400, "invalid_request"),
        ({"size_bytes": None, "duration_ms": None}, 400, "invalid_request"),
        ({"duration_ms": 0}, 400, "invalid_request"),
        ({"duration_ms": 1, "average_frame_rate": 0}, 400, "invalid_request"),
        ({"duration_ms": 1, "width": 640}, 400, "invalid_request"),
        ({"duration_ms": 1, "height": 640}, 400, "invalid_request"),
        ({"duration_ms": 1, "source_url": "https://a.example/v"}, 400, "invalid_request"),
        ({"duration_ms": 1, "frame_stride": 0}, 400, "invalid_request"),
        ({"duration_ms": 1, "frame_stride": 2, "frames_per_second": 2}, 400, "invalid_request"),
        ({"duration_ms": 1, "start_ms": 5, "end_ms": 4}, 400, "invalid_request"),
        ({"duration_ms": 1, "region": [0.5, 0, 0.5, 1]}, 400, "invalid_request"),
        ({"duration_ms": 1, "text_engine": "ppocr", "languages": ["eng"]}, 400, "invalid_request"),
        ({"duration_ms": 1, "languages": ["xyz"]}, 400, "unknown_language"),
        ({"duration_ms": 1, "pipeline_id": "nope"}, 400, "unknown_pipeline"),
        ({"size_bytes": 10**12}, 413, "video_too_large"),
    ],
)
def test_what_a_submit_would_refuse_is_refused(
    app: VideoJobs, body: dict[str, Any], status: int, code: str
) -> None:
    assert refusal(asked(**body)) == (status, code)


def test_a_body_that_is_no_json_is_refused(app: VideoJobs) -> None:
    for body in ("", "{", "[]", '{"duration_ms": 1e999}', '{"duration_ms": NaN}'):
        assert refusal(load_event("quote") | {"body": body}) == (400, "invalid_request")


def test_nobody_gets_a_quote_without_claims(app: VideoJobs) -> None:
    event = asked(size_bytes=1)
    del event["requestContext"]["authorizer"]
    assert refusal(event) == (401, "unauthenticated")


@pytest.mark.parametrize("error", [TransientError("DynamoDB did not answer"), FleetError("no connection")])
def test_a_table_that_does_not_answer_is_unavailable(
    app: VideoJobs, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def away(*_: object) -> None:
        raise error

    monkeypatch.setattr(app.ports.speeds, "list_speeds", away)
    monkeypatch.setattr(app.ports.fleet_records, "read", away)
    if isinstance(error, FleetError):
        monkeypatch.setattr(app.ports.speeds, "list_speeds", lambda _: [])
    assert refusal(asked(size_bytes=1)) == (503, "temporarily_unavailable")


def test_a_quote_changes_nothing(app: VideoJobs) -> None:
    quoted(size_bytes=1000, callback_url="https://a.example/hook", filename="a.mp4")
    assert app.ports.jobs.list_by_owner("local", 9) == []
    assert app.ports.queue.size() == 0


# --- the worker ----------------------------------------------------------------------------------------


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    yield World(tmp_path)
    on_frame().clear()


def worker_of(world: World) -> JobWorker:
    """A worker that measures its stages by the clock of the test."""
    worker = world.worker()
    worker._metrics = AttemptMetrics(
        world.app.ports.metrics, world.clock, lambda: world.clock.now().timestamp()
    )
    return worker


def turn(world: World) -> Outcome:
    """What a worker does with the next message."""
    return worker_of(world).run_once()


def speeds_of(world: World, pipeline_id: str = "misbehave") -> list[Speed]:
    return world.app.ports.speeds.list_speeds(pipeline_id)


def test_a_completed_job_is_measured(world: World) -> None:
    world.submit(TINY, "misbehave", max_frames=10)
    misbehave(world, lambda _: world.clock.advance(2))
    assert turn(world) is Outcome.COMPLETED
    (speed,) = speeds_of(world)
    assert world.job.fingerprint is not None
    assert world.job.video is not None
    assert (speed.fingerprint, speed.size_class) == (world.job.fingerprint["id"], "640x360")
    assert (speed.sum_of("jobs"), speed.sum_of("frames")) == (1, 10)
    assert speed.frame_ms(0.5, 1) == pytest.approx(2000, rel=0.05)
    assert speed.sum_of("video_bytes") / speed.sum_of("video_pictures") == TINY.stat().st_size / FRAMES


def test_each_job_is_measured_from_its_own_claim(world: World) -> None:
    worker = worker_of(world)
    misbehave(world, lambda _: world.clock.advance(2))
    for _ in range(2):
        world.clock.advance(1000)
        world.submit(TINY, "misbehave", max_frames=10)
        assert worker.run_once() is Outcome.COMPLETED
    (speed,) = speeds_of(world)
    assert speed.sum_of("jobs") == 2
    assert speed.sum_of("compute_ms") / speed.sum_of("weight") == pytest.approx(20_000, rel=0.01)


def test_only_what_this_attempt_did_is_measured(world: World) -> None:
    world.submit(TINY, "misbehave", part_frames=10)

    def stop(frame_index: int) -> None:
        world.clock.advance(1)
        if frame_index == 24:
            world.stop.request()
            world.stop._over.wait(5)

    misbehave(world, stop)
    assert turn(world) is Outcome.RETURNED
    assert speeds_of(world) == []
    on_frame().clear()
    world.stop = StopSignal(grace_s=0)
    misbehave(world, lambda _: world.clock.advance(3))
    assert turn(world) is Outcome.COMPLETED
    (speed,) = speeds_of(world)
    assert speed.sum_of("frames") == 20
    assert speed.frame_ms(0.5, 1) == pytest.approx(3000, rel=0.05)


def test_a_failed_job_is_not_measured(world: World, tmp_path: Path) -> None:
    world.submit(videos.truncated_without_moov(tmp_path))
    assert turn(world) is Outcome.FAILED
    assert speeds_of(world, "count") == []


def test_a_speed_that_cannot_be_kept_harms_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(_: Speed) -> None:
        raise TransientError("DynamoDB did not answer: AccessDeniedException")

    monkeypatch.setattr(world.app.ports.speeds, "add", away)
    world.submit(TINY, max_frames=3)
    with caplog.at_level(logging.WARNING):
        assert turn(world) is Outcome.COMPLETED
    assert world.queue.size() == 0
    assert "record_speed_failed" in logged(caplog)
    assert "AccessDeniedException" in logged(caplog)


@pytest.mark.parametrize(
    "options", [{}, {"frame_stride": 4}, {"max_frames": 7}, {"start_ms": 2000.0}, {"frames_per_second": 2}]
)
def test_a_quote_tells_what_the_next_job_takes(world: World, options: dict[str, Any]) -> None:
    misbehave(world, lambda _: world.clock.advance(0.5))
    world.submit(TINY, "misbehave")
    assert turn(world) is Outcome.COMPLETED
    # WHEN a quote is asked for the same video, with other options
    assert world.job.video is not None
    claimed = ClaimedVideo(duration_ms=world.job.video.duration_ms, size_bytes=TINY.stat().st_size)
    world.submit(TINY, "misbehave", **options)
    quote = world.app.quote.quote_job(claimed, world.job.options)
    # THEN that is what the job takes
    assert turn(world) is Outcome.COMPLETED
    assert world.job.usage is not None
    assert quote.compute_s == pytest.approx(world.job.usage.compute_ms / 1000, rel=0.1)
