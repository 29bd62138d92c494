"""A process dies before and after every single call to AWS; each job still reaches its right end, once.

`crash_scenarios` lists the calls of each scenario: a new call fails the test until it stands there,
and from then on the process dies at it too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord
from video_jobs.application import VideoJobs
from video_jobs.domain.job_events import event_of_change
from video_jobs.domain.keys import video_key
from video_worker.job_worker import Outcome

import tests.integration.source_scenarios
import tests.integration.turn_scenarios  # noqa: F401 - they add to SCENARIOS, as help_scenarios does
from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.integration.crash_scenarios import SCENARIOS, Scenario, numbers
from tests.integration.crash_world import CrashWorld
from tests.integration.help_scenarios import long_video
from tests.support.aws import stream_of
from tests.support.clock import ManualClock
from tests.support.crashes import Crash, MortalProcess
from tests.support.worker_world import on_frame

pytestmark = pytest.mark.no_cover  # moto under a tracer takes more than twice the time


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> MortalProcess:
    return MortalProcess(monkeypatch)


@pytest.fixture
def world(
    services: VideoJobs, process: MortalProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[CrashWorld]:
    clock = ManualClock()
    clock.move_sqs(monkeypatch)
    vars(services.ports)["clock"] = clock
    world = CrashWorld(services.ports, clock, tmp_path)
    world.another = process.another
    yield world
    on_frame().clear()


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_death_at_any_call_changes_nothing_in_the_end(
    world: CrashWorld, process: MortalProcess, name: str
) -> None:
    scenario = SCENARIOS[name]
    expected = play(world, process, scenario, dies_at=None)
    if scenario.is_shared:
        assert expected == alone(world)
    left = list(world.storage.list_keys("job_parts/"))
    assert scenario.end != "completed" or left == []
    assert process.calls == scenario.calls, "the calls have changed: list them in the scenario"
    # To AWS a death before a call is one after the call before it: only the first has a "before" of its own.
    first = scenario.dies_from
    deaths = [(first, False), *((dies_at, True) for dies_at in range(first, len(scenario.calls)))]
    for dies_at, after in deaths:
        seen = play(world, process, scenario, dies_at=dies_at, after=after)
        assert seen == expected, f"died {'after' if after else 'before'} {scenario.calls[dies_at]}"
    if scenario.end is not None:
        ended = "completed" if scenario.end == "completed" else "failed"
        assert world.played == {job_id for job_id, status in ends_in_the_stream(world) if status == ended}


def alone(world: CrashWorld) -> bytes:
    """The results of a long video, if one worker computes it undisturbed."""
    job = long_video(world, "alone")
    world.app, shared = VideoJobs(world.app.ports, replace(world.app.rules, help_from_parts=999)), world.app
    assert world.work() is Outcome.COMPLETED
    world.app = shared
    world.played.add(job.job_id)
    ended = world.find(job.job_id)
    assert ended is not None
    return world.results_of(ended)


def ends_in_the_stream(world: CrashWorld) -> set[tuple[str, str]]:
    """Job and status of every end that `job_events` is shown by the table's change stream."""
    ends = set()
    for record in stream_of(os.environ["TABLE_NAME"])["Records"]:
        change = DynamoDBRecord(record).dynamodb
        event = change and event_of_change(change.old_image or None, change.new_image or None)
        if event:
            ends.add((event.detail["job_id"], event.detail["status"]))
    return ends


def play(
    world: CrashWorld, process: MortalProcess, scenario: Scenario, *, dies_at: int | None, after: bool = False
) -> bytes | str | None:
    """Play a scenario with one death; gives what the client sees in the end."""
    key = f"key-{next(numbers)}"
    job_id, act = scenario.prepare(world, key)
    world.played.add(job_id)
    with process.living(dies_at, after=after):
        try:
            act()
            assert dies_at is None
        except Crash:
            assert dies_at is not None
    calls = list(process.calls)
    if dies_at is not None and scenario.asks_again:
        act()
    job = world.find(job_id)
    if scenario.uploads and job is not None:
        world.upload(job, TINY)
    world.settle(job_id)
    seen = end_of(world, job_id, scenario.end)
    world.settle(job_id, rounds=1)
    assert end_of(world, job_id, scenario.end) == seen
    process.calls = calls
    return seen


def end_of(world: CrashWorld, job_id: str, end: str | None) -> bytes | str | None:
    job = world.find(job_id)
    assert world.queue.size() == 0
    if end is None:
        assert job is None
        assert world.storage.find_file(video_key(job_id)) is None
        return None
    assert job is not None
    assert len([one for one in world.jobs.list_by_owner("ann", 999) if one.job_id == job_id]) == 1
    assert (job.error.code if job.error else str(job.status)) == end
    return world.results_of(job) if end == "completed" else end
