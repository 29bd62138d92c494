"""The load tool in a short form: what a call asks does not grow; its times are nobody's business here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from itertools import product
from pathlib import Path
from typing import Any

import boto3
import pytest
from video_jobs import bootstrap
from video_jobs.adapters.dynamodb import DynamoDbJobRepository
from video_jobs.domain.job import Job
from video_jobs.ports import JobPosition
from video_jobs.services import list_jobs as listing

from tests.contract.conftest import require_dynalite
from tools.dynalite import Dynalite, DynaliteMissingError
from tools.load.__main__ import measure
from tools.load.calls import UnexpectedAnswerError, calls
from tools.load.document import load_document
from tools.load.flatness import growth
from tools.load.in_process import BACKENDS, function_environment, in_process_rows, invoke
from tools.load.population import job_of
from tools.load.series import CallOnce, LoadPlan, Row, percentile, run_at_once, run_in_turns
from tools.load.tables import TABLE

pytestmark = pytest.mark.no_cover  # moto under a tracer takes more than twice the time

REGION = "us-east-1"
PLAN = LoadPlan(sizes=(10, 1000), most_calls=2, least_calls=2, page=4, clients=2, gateway=("dynalite",))
SMALL_PLAN = LoadPlan(sizes=(10, 24), most_calls=1, least_calls=1, page=4)
LISTS = [
    "list failed, first page",
    "list failed, from the middle",
    "list, first page",
    "list, from the middle",
]


@pytest.fixture(scope="module", autouse=True)
def short_reads() -> Iterator[None]:
    """A filtered page looks at four jobs, so that ten are enough for two pages of any kind."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listing, "JOBS_A_READ", PLAN.page)
        yield


@pytest.fixture(scope="module")
def report(short_reads: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    require_dynalite()
    return measure(PLAN, tmp_path_factory.mktemp("log") / "stack.log")


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_call_asks_as_much_of_ten_jobs_as_of_a_thousand(report: dict[str, Any], backend: str) -> None:
    asked: dict[str, set[tuple[int, str, int]]] = {}
    for row in report["rows"]:
        if (row["where"], row["backend"]) == ("in process", backend):
            use = (row["requests"], row["operations"], row["evaluated"])
            asked.setdefault(row["call"], set()).add(use)
    assert asked == {
        "status": {(1, "GetItem", 1)},
        "submit": {(1, "PutItem", 0)},
        **{name: {(1, "Query", PLAN.page)} for name in LISTS},
    }
    assert report["growth"] == []


def test_the_report_has_every_row(report: dict[str, Any]) -> None:
    names = [call.name for call in calls(10, PLAN.page)]
    rows = {(row["where"], row["backend"], row["jobs"], row["call"]): row for row in report["rows"]}
    ways = [("in process", "moto"), ("in process", "dynalite"), ("gateway", "dynalite")]
    assert rows.keys() == {(*way, jobs, name) for way, jobs, name in product(ways, PLAN.sizes, names)}
    assert len(rows) == len(report["rows"])
    for row in rows.values():
        assert row["calls"] == PLAN.most_calls
        assert 0 < row["p50_ms"] <= row["p95_ms"] <= row["p99_ms"]
        assert row["a_second"] > 0


def test_the_page_is_made_of_the_report(report: dict[str, Any]) -> None:
    page = load_document(report)
    lines = [[cell.strip() for cell in line.split("|")] for line in page.splitlines()]
    for name, jobs in product(LISTS, ("10", "1,000")):
        assert len([cells for cells in lines if cells[1:3] == [name, jobs]]) == 2
    assert ["", "submit", "1 (PutItem)", "0", "0", "0", ""] in lines
    assert report["machine"]["cpu"] in page


def test_a_list_that_reads_everything_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN a list that takes its page out of all the owner's jobs
    def list_everything(
        self: DynamoDbJobRepository, owner: str, limit: int, after: JobPosition | None = None
    ) -> list[Job]:
        everything = self._model.by_owner.query(owner, scan_index_forward=False, page_size=8)
        ids = [item.job_id for item in everything]
        start = 0 if after is None else ids.index(after.job_id) + 1
        return [job for job_id in ids[start : start + limit] if (job := self.get_by_id(job_id))]

    assert growth(list(in_process_rows("moto", SMALL_PLAN))) == []
    monkeypatch.setattr(DynamoDbJobRepository, "list_by_owner", list_everything)
    # WHEN the same is measured
    sentences = growth(list(in_process_rows("moto", SMALL_PLAN)))
    # THEN every list, and nothing else, is told of: for its requests and for what it looks at
    assert [sentence.split(": ")[:2] for sentence in sentences] == [
        [f"{name} on moto", wrong]
        for name in LISTS
        for wrong in ("the requests differ", "looks at more than 4 items", "the items looked at differ")
    ]


def test_a_table_that_looks_at_more_within_its_page_is_found() -> None:
    rows = [
        {"backend": "moto", "call": "list", "jobs": jobs, "requests": 1, "operations": "Query"}
        | {"evaluated": evaluated, "reads_at_most": 100}
        for jobs, evaluated in ((10, 10), (1000, 60), (100_000, 100))
    ]
    assert growth(rows) == [
        "list on moto: the items looked at differ: 1,000 jobs: 60; 100,000 jobs: 100",
    ]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_filled_table_holds_what_the_adapter_would_have_stored(backend: str) -> None:
    if backend == "dynalite":
        require_dynalite()
    with function_environment(), BACKENDS[backend]([10, 60]) as places:
        for place in places:
            stored = place.repository.list_by_owner(job_of(0).owner, 100)
            assert stored == [job_of(number) for number in reversed(range(place.jobs))]
            assert [place.repository.get_by_id(job.job_id) for job in stored] == stored
        places[0].table.grow_to(12)
        assert len(places[0].repository.list_by_owner(job_of(0).owner, 100)) == 12


def test_submitted_jobs_are_taken_out_again() -> None:
    client = None
    for row in in_process_rows("moto", SMALL_PLAN):
        client = client or boto3.client("dynamodb", region_name=REGION)
        if row["call"] == "submit":
            assert client.scan(TableName=f"{TABLE}-{row['jobs']}")["Count"] == row["jobs"]


def test_a_wrong_answer_is_no_measurement() -> None:
    with function_environment(), BACKENDS["moto"]([1]) as (place,):
        bootstrap.application().jobs = place.repository
        event = calls(100, PLAN.page)[0].make().to_event()
        invoke(event, 404)
        with pytest.raises(UnexpectedAnswerError, match="answered 404"):
            invoke(event, 200)


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (LoadPlan(most_calls=7, least_calls=2, most_s=60), 7),
        (LoadPlan(most_calls=7, least_calls=2, most_s=0), 2),
    ],
    ids=["calls", "seconds"],
)
@pytest.mark.parametrize("run", [run_at_once, lambda call_once, plan: run_in_turns([call_once], plan)[0]])
def test_a_series_ends_with_its_calls_or_its_seconds(
    run: Callable[[CallOnce, LoadPlan], Row], plan: LoadPlan, expected: int
) -> None:
    made: list[float] = []

    def call_once() -> float:
        made.append(0.001)
        return made[-1]

    row = run(call_once, plan)
    assert (row["calls"], len(made)) == (expected, expected + 1)  # and one to warm up


def test_tables_are_asked_in_turns_until_each_has_had_enough() -> None:
    asked = ""

    def asking(name: str, took_s: float) -> CallOnce:
        def call_once() -> float:
            nonlocal asked
            asked += name
            return took_s

        return call_once

    rows = run_in_turns([asking("a", 1), asking("b", 4)], LoadPlan(most_calls=5, least_calls=1, most_s=6))
    assert asked == "ab" + "ab" + "ab" + "a" * 3
    assert [row["a_second"] for row in rows] == [1, 0.25]


def test_a_percentile_is_a_time_that_was_measured() -> None:
    ordered = [float(number) for number in range(1, 101)]
    assert [percentile(ordered, percent) for percent in (50, 95, 99)] == [50, 95, 99]
    assert percentile([3.0], 50) == percentile([3.0], 99) == 3.0


def test_where_dynalite_is_not_installed_it_says_what_brings_it(tmp_path: Path) -> None:
    starting: AbstractContextManager[Dynalite] = Dynalite(tmp_path / "nothing")
    with pytest.raises(DynaliteMissingError, match=r"no (Node\.js|dynalite)"):
        starting.__enter__()
