"""Schedules full of faults break no promise; proofs play more, and take rules out."""

from __future__ import annotations

import pytest

from tests.proofs.simulation.report import play

SEEDS = range(180)
"""Enough for every change and fault."""


@pytest.mark.no_cover  # the tracer would only slow it down
def test_no_schedule_breaks_a_promise() -> None:
    report = play(SEEDS)
    assert report.violations == {}
    assert report.schedules == len(SEEDS)
    assert report.changes_missed == []
    wanted = {"crash before a call", "crash after a call", "error", "lost answer", "stall", "clock jump"}
    wanted |= {"duplicate event", "lost event", "late event", "duplicate message", "told to stop"}
    wanted |= {"source away", "source changed", "source cut", "lost fetch", "duplicate fetch"}
    assert wanted | {"receiver away"} <= report.faults.keys()
    assert wanted | {"lost help", "duplicate help", "late help"} <= report.faults.keys()
    assert report.outcomes["completed"] > len(SEEDS) / 2
    helped = {"claimed by a helper", "parts stored by helpers", "taken over by the holder", "done"}
    assert min(report.help[what] for what in helped) > 10


def test_a_seed_replays_exactly() -> None:
    (first, again) = (play([7]), play([7]))
    assert first.steps == again.steps
    assert len(first.steps) > 50
    assert play([8]).steps != first.steps
