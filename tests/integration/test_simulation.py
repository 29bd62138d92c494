"""Hundreds of schedules full of faults break no promise, and they would notice if one were broken."""

from __future__ import annotations

from functools import partial

import pytest

from tests.proofs.simulation.report import play
from tests.proofs.simulation.world import Kept, World

SEEDS = range(180)
"""Enough for every change and fault."""

SEEDS_OF_MUTATIONS = (423, 245, 261, 78, 283, 203, 396, 953, 652, *range(1000))
"""The first ones show what few others do."""

BY_HOLDER = frozenset({"heartbeat", "record_opening", "complete", "fail", "give_back"})


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


MUTATIONS: dict[str, Kept] = {
    "no fencing": Kept(unconditional=BY_HOLDER),
    "no reconcile": Kept(reconciles=False),
    "no lease of segments": Kept(fenced=False),
    "no take-over of segments": Kept(ending=False),
    "no fingerprint": Kept(fingerprints=False),
}
UNCONDITIONAL = (
    "claim",
    "accept_upload",
    "cancel",
    "mark_queued",
    "postpone",
    "record_delivery",
    "keep_fetch",
    "pause_fetch",
    "take_turn",
    "keep_waiting",
)
MUTATIONS |= {f"{name} without condition": Kept(unconditional=frozenset({name})) for name in UNCONDITIONAL}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_rule_taken_out_is_noticed(mutation: str) -> None:
    report = play(SEEDS_OF_MUTATIONS, partial(World, kept=MUTATIONS[mutation]), stop_at_violation=True)
    assert len(report.violations) == 1


def test_a_seed_replays_exactly() -> None:
    (first, again) = (play([7]), play([7]))
    assert first.steps == again.steps
    assert len(first.steps) > 50
    assert play([8]).steps != first.steps
