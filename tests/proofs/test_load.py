"""The load test in a short form: what a call asks does not grow; its times are not tested."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from video_jobs.adapters.aws.dynamodb import DynamoDbJobRepository
from video_jobs.domain.job import Job
from video_jobs.ports import JobPosition
from video_jobs.use_cases import owner

from tests.contract.conftest import require_dynalite
from tests.proofs.load.__main__ import growth, measure
from tests.proofs.load.measures import (
    BACKENDS,
    CallOnce,
    LoadPlan,
    UnexpectedAnswerError,
    calls,
    filled_tables,
    gateway_rows,
    in_process_rows,
    run_in_turns,
    watch,
)
from tests.proofs.load.page import load_page
from tests.proofs.load.tables import JobsTable, job_of
from tests.proofs.report import Row
from tests.support.dynalite import Dynalite, DynaliteMissingError

PLAN = LoadPlan(sizes=(10, 1000), most_calls=2, least_calls=2, page=4, clients=2, gateway=("dynalite",))
SMALL_PLAN = LoadPlan(sizes=(10, 24), most_calls=1, least_calls=1, page=4)
LISTS = [
    *("list failed, first page", "list failed, from the middle"),
    *("list, first page", "list, from the middle"),
]


@pytest.fixture(scope="module", autouse=True)
def short_reads() -> Iterator[None]:
    """A filtered page looks at four jobs, so that ten are enough for two pages of any kind."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, "JOBS_A_READ", PLAN.page)
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
    lists = {name: {(1, "Query", PLAN.page)} for name in LISTS}
    submit = {"submit": {(1, "TransactWriteItems", 0)}} if backend == "moto" else {}
    assert asked == {"status": {(1, "GetItem", 1)}, **submit, **lists}
    assert report["growth"] == []


def test_the_report_has_every_row_and_the_page_is_made_of_it(report: dict[str, Any]) -> None:
    rows = {(row["where"], row["backend"], row["jobs"], row["call"]): row for row in report["rows"]}
    ways = [("in process", "moto"), ("in process", "dynalite"), ("gateway", "dynalite")]
    assert rows.keys() == {
        (*way, jobs, call.name)
        for way, jobs in product(ways, PLAN.sizes)
        for call in calls(jobs, PLAN.page, way[1])
    }
    assert len(rows) == len(report["rows"])
    for row in rows.values():
        assert row["calls"] == PLAN.most_calls
        assert 0 < row["p50_ms"] <= row["p95_ms"] <= row["p99_ms"]
        assert row["a_second"] > 0
    page = load_page(report)
    lines = [[cell.strip() for cell in line.split("|")] for line in page.splitlines()]
    for name, jobs in product(LISTS, ("10", "1,000")):
        assert len([cells for cells in lines if cells[1:3] == [name, jobs]]) == 2
    assert ["", "submit", "1 (TransactWriteItems)", "0", "0", "0", ""] in lines
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
    rows: list[Row] = [
        {"backend": "moto", "call": "list", "jobs": jobs, "requests": 1, "operations": "Query"}
        | {"evaluated": evaluated, "reads_at_most": 100}
        for jobs, evaluated in ((10, 10), (1000, 60), (100_000, 100))
    ]
    found = "list on moto: the items looked at differ: 1,000 jobs: 60; 100,000 jobs: 100"
    assert growth(rows) == [found]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_filled_table_holds_what_the_adapter_would_have_stored(backend: str) -> None:
    if backend == "dynalite":
        require_dynalite()
    with filled_tables(backend, [10, 60]) as tables:
        for table in tables:
            stored = table.repository.list_by_owner(job_of(0).owner, 100)
            assert stored == [job_of(number) for number in reversed(range(table.jobs))]
            assert [table.repository.get_by_id(job.job_id) for job in stored] == stored
        tables[0].grow_to(12)
        assert len(tables[0].repository.list_by_owner(job_of(0).owner, 100)) == 12


def test_submitted_jobs_are_taken_out_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    counts: list[tuple[int, int]] = []
    delete = JobsTable.delete

    def delete_and_count(self: JobsTable, job_ids: list[str]) -> None:
        delete(self, job_ids)
        counts.append((len(job_ids), self.client.scan(TableName=self.name)["Count"]))

    monkeypatch.setattr(JobsTable, "delete", delete_and_count)
    kinds = len(list(gateway_rows("moto", SMALL_PLAN, tmp_path / "log"))) // 2
    assert counts == [*[(0, 10)] * (kinds - 1), (2, 10), *[(0, 24)] * (kinds - 1), (2, 24)]


def test_a_wrong_answer_is_no_measurement() -> None:
    status_of_no_job = calls(100, PLAN.page, "moto")[0]
    refused = pytest.raises(UnexpectedAnswerError, match="answered 404")
    with filled_tables("moto", [1]) as (table,), refused:
        watch(status_of_no_job, table, {})


def test_tables_are_asked_in_turns_and_a_percentile_is_a_time_that_was_measured() -> None:
    asked: list[str] = []

    def asking(name: str, *times_s: float) -> CallOnce:
        rest = iter(times_s)
        return lambda: asked.append(name) or next(rest)  # type: ignore[func-returns-value]

    plan = LoadPlan(most_calls=5, least_calls=1, most_s=6)
    rows = run_in_turns([asking("a", 0, 1, 1, 1, 1, 1), asking("b", 0, 3, 5)], plan)
    assert asked == [*"ab" * 3, *"aaa"]
    assert [row["a_second"] for row in rows] == [1, 0.25]
    assert (rows[1]["p50_ms"], rows[1]["p99_ms"]) == (3000, 5000)


def test_a_missing_dynalite_says_what_installs_it(tmp_path: Path) -> None:
    with pytest.raises(DynaliteMissingError, match=r"no (Node\.js|dynalite)"):
        Dynalite(tmp_path / "nothing").__enter__()
