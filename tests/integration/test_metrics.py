"""What functions and workers write is what alarms, dashboard and docs/operations.md name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from video_jobs.adapters.aws.emf import EmfMetrics
from video_jobs.adapters.local.local_storage import LocalStorage
from video_jobs.adapters.local.memory_metrics import MemoryMetrics
from video_jobs.application import VideoJobs
from video_jobs.bindings import Ports
from video_jobs.domain import metrics
from video_jobs.domain.errors import FleetError, TransientError
from video_jobs.domain.metrics import FleetNumbers, Metric
from video_worker.job_worker import Outcome
from video_worker.metrics import ERROR

from functions.job_events import app as job_events
from functions.reconcile import app as reconcile
from tests.fixtures.make_tiny_mp4 import FRAMES
from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.integration.conftest import EVENT_JOB_ID, load_event
from tests.integration.job_states import running_job
from tests.support.clock import ManualClock
from tests.support.monitoring import NAMESPACE, Used, used_by_alarms, used_by_dashboard
from tests.support.pages import Page, table_rows
from tests.support.worker_world import RULES, World, misbehave
from tools.local_stack.template import Template

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
ALL = {value for value in vars(metrics).values() if isinstance(value, Metric)}
SERVICE_OF_FUNCTIONS = "video-jobs"


class Written(NamedTuple):
    """One value, as CloudWatch reads it from a log line."""

    namespace: str
    name: str
    unit: str
    dimensions: dict[str, str]
    value: float
    job_id: str | None


def written_in(text: str) -> list[Written]:
    """The metrics of all lines in the embedded metric format."""
    return [
        one for line in text.splitlines() if line.startswith('{"_aws"') for one in _of_line(json.loads(line))
    ]


def _of_line(line: dict[str, Any]) -> Iterator[Written]:
    for directive in line["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            for metric in directive["Metrics"]:
                (value,) = line[metric["Name"]]
                dimensions = {name: line[name] for name in names}
                job_id = line.get("job_id")
                yield Written(
                    directive["Namespace"], metric["Name"], metric["Unit"], dimensions, value, job_id
                )


def end_of_job(error_code: str | None) -> dict[str, Any]:
    """A batch with the end of one job, as the change stream gives it."""
    event = load_event("job_events")
    record = event["Records"][0]
    record["dynamodb"]["Keys"] = {"job_id": {"S": EVENT_JOB_ID}}
    image = record["dynamodb"]["NewImage"]
    image["status"] = {"S": "completed" if error_code is None else "failed"}
    if error_code is not None:
        image |= {"error_code": {"S": error_code}, "error_message": {"S": "m"}}
    return {"Records": [record]}


@pytest.fixture
def emf(app: VideoJobs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """The functions write metrics as on Lambda; gives what they wrote since the last time."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", SERVICE_OF_FUNCTIONS)
    vars(app.ports)["metrics"] = EmfMetrics("VideoJobs/s")
    return lambda: written_in(capsys.readouterr().out)


Emf = Callable[[], list[Written]]


# --- the functions ---------------------------------------------------------------------------------


def test_a_completed_job_is_counted(emf: Emf, context: LambdaContext) -> None:
    job_events.lambda_handler(end_of_job(None), context)
    (one,) = emf()
    assert one == Written("VideoJobs/s", "JobsCompleted", "Count", {"service": "video-jobs"}, 1, EVENT_JOB_ID)


@pytest.mark.parametrize(("code", "label"), [("cancelled", "cancelled"), ("made_up", "other")])
def test_a_failed_job_is_counted_by_its_reason(
    emf: Emf, context: LambdaContext, code: str, label: str
) -> None:
    job_events.lambda_handler(end_of_job(code), context)
    (one,) = emf()
    assert (one.name, one.dimensions) == ("JobsFailed", {"service": "video-jobs", "error_code": label})


def test_an_end_that_could_not_be_published_is_not_counted_yet(
    emf: Emf, app: VideoJobs, context: LambdaContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: Any) -> None:
        raise TransientError

    monkeypatch.setattr(app.ports.events, "publish", away)
    job_events.lambda_handler(end_of_job(None), context)
    assert emf() == []


IDLE = {"JobsRepaired": 0, "JobsWaiting": 0, "OldestWait": 0, "LiveLeases": 0}


def numbers_of_a_minute(emf: Emf, context: LambdaContext) -> dict[str, float]:
    """What reconcile writes; every number once."""
    reconcile.lambda_handler(load_event("reconcile_schedule"), context)
    written = emf()
    assert {tuple(one.dimensions.items()) for one in written} == {(("service", "video-jobs"),)}
    assert len(written) == len({one.name for one in written})
    return {one.name: one.value for one in written}


def test_reconcile_writes_each_minute_also_if_there_was_nothing_to_do(
    emf: Emf, app: VideoJobs, clock: ManualClock, context: LambdaContext
) -> None:
    workers = {"WorkersDesired": 0, "WorkersRunning": 0}
    assert numbers_of_a_minute(emf, context) == IDLE | workers
    running_job(app)  # its lease has ended
    repaired = {"JobsRepaired": 1, "JobsWaiting": 1, "WorkersDesired": 1}
    assert numbers_of_a_minute(emf, context) == IDLE | workers | repaired
    clock.advance(600)
    assert numbers_of_a_minute(emf, context)["OldestWait"] == 600


def test_the_work_is_written_although_the_queue_or_ecs_is_away(
    emf: Emf, app: VideoJobs, context: LambdaContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> Any:
        raise FleetError

    monkeypatch.setattr(app.ports.fleet, "look", away)
    assert numbers_of_a_minute(emf, context) == IDLE

    def queue_away() -> Any:
        raise TransientError

    monkeypatch.setattr(app.ports.queue, "depth", queue_away)
    assert set(numbers_of_a_minute(emf, context)) == set(IDLE) - {"JobsWaiting"}


def test_the_numbers_of_the_fleet_have_each_their_metric() -> None:
    numbers = FleetNumbers(waiting=5, oldest_wait=timedelta(minutes=2), held=3, desired=4, running=0)
    assert {metric.name: value for metric, value in numbers.values().items()} == {
        "JobsWaiting": 5,
        "OldestWait": 120,
        "LiveLeases": 3,
        "WorkersDesired": 4,
        "WorkersRunning": 0,
    }


# --- the worker ------------------------------------------------------------------------------------


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def recorded(world: World) -> MemoryMetrics:
    its = world.app.ports.metrics
    assert isinstance(its, MemoryMetrics)
    return its


def values_of(world: World) -> dict[str, float]:
    """The value of each metric; every metric was written once."""
    names = [one.metric.name for one in recorded(world).recorded]
    assert len(names) == len(set(names))
    assert {one.job_id for one in recorded(world).recorded} == {world.job_id}
    return {one.metric.name: one.value for one in recorded(world).recorded}


def ends_of(world: World) -> list[str]:
    return [one.by for one in recorded(world).recorded if one.metric == metrics.ATTEMPTS_ENDED]


def test_a_worker_writes_what_an_attempt_took(world: World) -> None:
    # GIVEN a job that waits for 90 seconds
    world.submit(TINY)
    world.clock.advance(90)
    # WHEN a worker runs it
    assert world.worker().run_once() is Outcome.COMPLETED
    # THEN time in the queue, stages, frames and their rate are written
    values = values_of(world)
    assert (values["QueueWait"], values["AttemptNumber"], values["Frames"]) == (90, 1, FRAMES)
    assert min(values[name] for name in ("FetchTime", "AnalysisTime", "StoreTime")) > 0
    assert values["FramesPerSecond"] == pytest.approx(FRAMES / values["AnalysisTime"])
    assert ends_of(world) == ["completed"]


def test_a_second_attempt_counts_its_own_wait_and_its_own_frames(world: World) -> None:
    # GIVEN a job whose first attempt stored one part of two, and then failed
    world.submit(TINY, "misbehave", part_frames=FRAMES - 10)

    def away_at_the_end(frame: int) -> None:
        if frame == FRAMES - 5 and world.job.attempt == 1:
            raise TransientError

    misbehave(world, away_at_the_end)
    world.clock.advance(30)
    assert world.worker().run_once() is Outcome.RETURNED
    recorded(world).recorded.clear()
    # WHEN another attempt is made, a minute later
    world.clock.advance(60)
    assert world.worker().run_once() is Outcome.COMPLETED
    # THEN only what it took counts
    values = values_of(world)
    assert (values["QueueWait"], values["AttemptNumber"], values["Frames"]) == (60, 2, 10)


def test_an_attempt_that_fails_is_written_as_well(world: World) -> None:
    world.submit(TINY, "nope")
    assert world.worker().run_once() is Outcome.FAILED
    values = values_of(world)
    assert (values["Frames"], "FramesPerSecond" in values, "AnalysisTime" in values) == (0, False, False)
    assert ends_of(world) == ["failed"]


def test_an_attempt_that_ends_in_an_unexpected_error_is_written_as_well(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    # GIVEN a worker that has completed a job
    worker = world.worker()
    world.submit(TINY)
    assert worker.run_once() is Outcome.COMPLETED
    # WHEN its next attempt breaks
    world.submit(TINY)
    monkeypatch.setattr(world.app.work, "complete", broken)
    with pytest.raises(ZeroDivisionError):
        worker.run_once()
    assert ends_of(world) == ["completed", ERROR]


def test_a_message_of_no_job_writes_nothing(world: World) -> None:
    world.queue.enqueue("not a job", 1)
    assert world.worker().run_once() is Outcome.SKIPPED
    assert recorded(world).recorded == []


def test_the_worker_s_metrics_are_lines_that_cloudwatch_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "video-worker")
    ports = Ports.in_memory(
        ManualClock(),
        storage=lambda: LocalStorage(tmp_path / "storage"),
        metrics=lambda: EmfMetrics("VideoJobs/s"),
    )
    world = World(tmp_path, VideoJobs(ports, RULES))
    world.submit(TINY)
    world.worker().run_once()
    written = written_in(capsys.readouterr().out)
    by_name = {one.name: one for one in written}
    assert {one.dimensions["service"] for one in written} == {"video-worker"}
    assert by_name["AttemptsEnded"].dimensions == {"service": "video-worker", "outcome": "completed"}
    assert (by_name["Frames"].dimensions, by_name["Frames"].value) == ({"service": "video-worker"}, FRAMES)
    assert {one.job_id for one in written} == {world.job_id}
    assert {name for name, one in by_name.items() if one.unit == "Seconds"} == {
        "QueueWait",
        "FetchTime",
        "AnalysisTime",
        "StoreTime",
    }


# --- the names -------------------------------------------------------------------------------------


def own(used: set[Used]) -> set[tuple[str, frozenset[str]]]:
    return {(one.name, one.dimensions) for one in used if one.namespace.startswith("VideoJobs")}


def test_alarms_and_dashboard_use_the_metrics_that_are_written_and_no_other() -> None:
    written = {(one.name, frozenset({"service", *([one.by] if one.by else [])})) for one in ALL}
    assert own(used_by_alarms()) <= written
    assert own(used_by_dashboard()) == written


def test_functions_and_worker_write_into_the_namespace_that_alarms_and_dashboard_read() -> None:
    template = Template()
    template.bind(dict.fromkeys(template.resources, "x") | {"AWS::Region": "r", "AWS::StackName": "s"})
    read = {one.namespace for one in used_by_alarms() | used_by_dashboard() if "AWS/" not in one.namespace}
    assert read == {NAMESPACE}
    environments = [*map(template.environment, template.functions()), template.worker_environment()]
    assert {one["METRICS_NAMESPACE"] for one in environments} == {NAMESPACE.replace("${AWS::StackName}", "s")}


def test_the_services_of_alarms_and_dashboard_are_those_that_write() -> None:
    text = json.dumps([Template().resources[name]["Properties"] for name in ("Dashboard", "NoWorkerAlarm")])
    template = Template()
    template.bind(dict.fromkeys(template.resources, "x") | {"AWS::Region": "r", "AWS::StackName": "s"})
    names = {template.environment("ReconcileFunction")["POWERTOOLS_SERVICE_NAME"]}
    names |= {template.worker_environment()["POWERTOOLS_SERVICE_NAME"]}
    assert names == {"video-jobs", "video-worker"}
    assert all(name in text for name in names)


def test_the_page_lists_every_metric_with_its_dimension_and_unit() -> None:
    rows = table_rows(Page(PAGE).section("Alarms, dashboard, metrics"))
    listed = {tuple(cell.strip("`") for cell in row[:3]) for row in rows}
    assert listed == {(one.name, one.by or "", one.unit.value) for one in ALL}
    outcomes = {str(one) for one in Outcome} - {"idle", "skipped", "helped"} | {ERROR}
    (row,) = (row for row in rows if row[0] == "`AttemptsEnded`")
    assert {f"`{one}`" for one in outcomes} == set(row[3].partition(": ")[2].split(", "))
