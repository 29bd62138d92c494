"""The replay of the fleet: `plan_fleet` keeps jobs waiting for less long, and does not pay much for it."""

from __future__ import annotations

import pytest

from tests.proofs.fleet.page import PAGE, Row, render, replay_all
from tests.proofs.fleet.replay import LIMITS, START_TAKES, Service, replay
from tests.proofs.fleet.scenarios import HOUR, LONGEST_JOB, Arrival

ROWS = {row.name: row for row in replay_all()}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_no_scenario_waits_longer_than_before(row: Row) -> None:
    assert row.now.median <= row.before.median
    assert row.now.longest <= row.before.longest


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_no_scenario_costs_a_quarter_more(row: Row) -> None:
    assert row.now.hours <= 1.25 * row.before.hours


def test_a_start_from_zero_waits_for_the_machine_only() -> None:
    row = ROWS["6 idle hours before each job"]
    assert (row.now.longest, row.before.longest > 15) == (START_TAKES, True)


def test_short_jobs_do_not_wait_for_long_ones_to_end() -> None:
    row = ROWS["11-hour jobs among short ones"]
    at_most = LIMITS.longest_wait.total_seconds() / 60 + START_TAKES
    assert row.now.longest <= at_most < row.before.median


def test_one_long_job_keeps_one_worker_not_all() -> None:
    row = ROWS["the same, no metric is late"]
    assert row.now.hours < LONGEST_JOB / HOUR + LIMITS.max_workers < row.before.hours / 2


def test_the_page_shows_what_the_replay_comes_to() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(ROWS.values())


def test_a_replay_ends_every_job_and_stops_every_worker() -> None:
    outcome = replay([Arrival(3, 2)])
    assert len(outcome.waits) == outcome.started == 1
    assert outcome.hours >= (START_TAKES + 2) / 60


def test_a_protected_worker_is_not_stopped() -> None:
    service = Service(desired=2)
    service.pass_minute()
    service.minute = START_TAKES
    service.queue.append(Arrival(0, 5))
    service.hand_out()
    service.desired = 0
    service.pass_minute()
    assert len(service.workers) == 1
    service.minute += 5
    service.pass_minute()
    assert service.workers == []
