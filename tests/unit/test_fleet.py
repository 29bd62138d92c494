"""`plan_fleet`: what holds for every workload, and what is decided in plain cases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from video_jobs.domain.fleet import (
    OUTDATED,
    WAKE_PAUSE,
    FleetDecision,
    FleetLimits,
    FleetRecord,
    Workload,
    plan_fleet,
)

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LIMITS = FleetLimits(max_workers=4, jobs_per_worker=5)

minutes = st.integers(0, 60).map(lambda number: number * MINUTE)
past = st.none() | minutes.map(lambda ago: NOW - ago)
all_limits = st.builds(
    FleetLimits,
    max_workers=st.integers(0, 8),
    jobs_per_worker=st.integers(1, 6),
    longest_wait=minutes,
    spare=minutes,
    strict_order=st.booleans(),
)
known_work = st.builds(Workload, waiting=st.integers(0, 60), held=st.integers(0, 8), oldest_wait=minutes)
work = known_work | known_work.map(lambda seen: replace(seen, waiting=None))
decisions = st.builds(FleetDecision, workers=st.integers(0, 10), raised_at=past, spare_since=past)


# --- what always holds -----------------------------------------------------------------------------


@given(work, decisions, all_limits)
def test_the_number_is_never_negative_nor_above_the_limit_nor_below_the_leases(
    seen: Workload, before: FleetDecision, limits: FleetLimits
) -> None:
    workers = plan_fleet(seen, before, limits, NOW).workers
    assert 0 <= seen.held <= workers <= max(limits.max_workers, seen.held)


@given(work, decisions, all_limits.filter(lambda limits: limits.max_workers > 0))
def test_it_is_zero_only_if_nothing_waits_or_runs(
    seen: Workload, before: FleetDecision, limits: FleetLimits
) -> None:
    if plan_fleet(seen, before, limits, NOW).workers == 0:
        assert seen.held == 0
        # a missing number keeps workers, and starts none
        assert seen.waiting == 0 or (seen.waiting is None and before.workers == 0)


@given(known_work, st.integers(0, 60), decisions, all_limits)
def test_more_waiting_jobs_never_mean_fewer_workers(
    seen: Workload, more: int, before: FleetDecision, limits: FleetLimits
) -> None:
    assert seen.waiting is not None
    larger = replace(seen, waiting=seen.waiting + more)
    few, many = (plan_fleet(one, before, limits, NOW).workers for one in (seen, larger))
    assert few <= many


@given(work, decisions, all_limits.filter(lambda limits: limits.strict_order))
def test_strict_order_has_at_most_one_worker_that_holds_no_job(
    seen: Workload, before: FleetDecision, limits: FleetLimits
) -> None:
    assert plan_fleet(seen, before, limits, NOW).workers <= max(1, seen.held)


@given(work, decisions, all_limits)
def test_at_most_one_worker_is_taken_away_at_a_time(
    seen: Workload, before: FleetDecision, limits: FleetLimits
) -> None:
    allowed = max(limits.most, seen.held)  # the operator may lower the limit at once
    assert plan_fleet(seen, before, limits, NOW).workers >= min(before.workers, allowed) - 1


@given(st.lists(work, min_size=1, max_size=60), decisions)
@example([Workload(waiting=9), Workload(waiting=0)], FleetDecision(workers=1, spare_since=NOW - 60 * MINUTE))
@example([Workload(waiting=9), *[Workload(waiting=None)] * 12, Workload(waiting=0)], FleetDecision())
def test_late_or_missing_numbers_make_nothing_flap(seen: list[Workload], before: FleetDecision) -> None:
    """Whatever the numbers of an hour are, a worker that was added stays for as long as one must be spare."""
    decision, raised = before, False
    since_raised = 0
    for minute, one in enumerate(seen):
        after = plan_fleet(one, decision, LIMITS, NOW + minute * MINUTE)
        since_raised += 1
        if after.workers > decision.workers:
            raised, since_raised = True, 0
        elif after.workers < min(decision.workers, max(LIMITS.most, one.held)) and raised:
            assert since_raised * MINUTE > LIMITS.spare
        decision = after


@given(st.lists(st.sampled_from(["known", "missing"]), min_size=1, max_size=60), st.integers(0, 30))
def test_a_steady_load_has_a_steady_number_even_if_numbers_are_missing(
    kinds: list[str], waiting: int
) -> None:
    decision = plan_fleet(Workload(waiting=waiting), FleetDecision(), LIMITS, NOW)
    for minute, kind in enumerate(kinds):
        seen = Workload(waiting=waiting if kind == "known" else None)
        after = plan_fleet(seen, decision, LIMITS, NOW + minute * MINUTE)
        assert after.workers == decision.workers
        decision = after


# --- plain cases -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("waiting", "workers"), [(0, 0), (1, 1), (5, 1), (6, 2), (20, 4), (1000, 4)])
def test_the_backlog_starts_workers_up_to_the_limit(waiting: int, workers: int) -> None:
    assert plan_fleet(Workload(waiting=waiting), FleetDecision(), LIMITS, NOW).workers == workers


def test_a_job_behind_long_jobs_gets_a_worker_of_its_own_after_a_while() -> None:
    # GIVEN one worker that is busy for hours, and one job that waits
    before = FleetDecision(workers=1, raised_at=NOW - timedelta(hours=2))
    waits = Workload(waiting=1, held=1, oldest_wait=LIMITS.longest_wait - MINUTE)
    assert plan_fleet(waits, before, LIMITS, NOW).workers == 1
    # WHEN it has waited for long
    waits = replace(waits, oldest_wait=LIMITS.longest_wait)
    added = plan_fleet(waits, before, LIMITS, NOW)
    # THEN one worker is added, and no other until that one is busy and has had the same time
    assert added == FleetDecision(workers=2, raised_at=NOW)
    assert plan_fleet(waits, added, LIMITS, NOW + LIMITS.longest_wait).workers == 2
    both_busy = replace(waits, held=2)
    assert plan_fleet(both_busy, added, LIMITS, NOW + LIMITS.longest_wait - MINUTE).workers == 2
    assert plan_fleet(both_busy, added, LIMITS, NOW + LIMITS.longest_wait).workers == 3


def test_spare_workers_go_one_by_one_after_they_were_spare_for_long() -> None:
    decision, numbers = FleetDecision(workers=3), []
    for minute in range(13):
        decision = plan_fleet(Workload(waiting=0, held=1), decision, LIMITS, NOW + minute * MINUTE)
        numbers.append(decision.workers)
    assert numbers == [3] * 10 + [2, 1, 1]


def test_a_job_that_waits_begins_the_time_anew() -> None:
    spare = FleetDecision(workers=2, spare_since=NOW - timedelta(hours=1))
    assert plan_fleet(Workload(waiting=1), spare, LIMITS, NOW) == FleetDecision(workers=2)


def test_a_missing_number_takes_no_worker_away_and_lasts_no_longer_than_itself() -> None:
    spare = FleetDecision(workers=2, spare_since=NOW - timedelta(hours=1))
    assert plan_fleet(Workload(waiting=None), spare, LIMITS, NOW) == spare
    assert plan_fleet(Workload(waiting=0), spare, LIMITS, NOW).workers == 1


# --- the record ------------------------------------------------------------------------------------


def test_an_upload_starts_a_worker_only_if_none_is_asked_for_and_not_every_second() -> None:
    assert FleetRecord().may_wake(NOW)
    assert not FleetRecord(decision=FleetDecision(workers=1)).may_wake(NOW)
    woken = FleetRecord(woken_at=NOW)
    assert not woken.may_wake(NOW + WAKE_PAUSE - timedelta(seconds=1))
    assert woken.may_wake(NOW + WAKE_PAUSE)


def test_a_release_has_two_hours_to_end_after_another_replaced_it() -> None:
    record = FleetRecord().with_task_definition("worker:1", NOW)
    assert record.with_task_definition("worker:1", NOW + MINUTE) == record
    assert not record.has_replaced("worker:1", NOW + 2 * OUTDATED)
    assert not record.has_replaced("worker:0", NOW + OUTDATED - MINUTE)
    assert record.has_replaced("worker:0", NOW + OUTDATED)
    assert not FleetRecord().has_replaced("worker:1", NOW)
