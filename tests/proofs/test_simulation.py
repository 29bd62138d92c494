"""Two thousand schedules full of faults break no promise, and they notice if a rule is taken out."""

from __future__ import annotations

from functools import partial

import pytest

from tests.proofs.simulation.report import play
from tests.proofs.simulation.world import Kept, World

SEEDS = range(2000)

SEEDS_OF_MUTATIONS = (423, 245, 261, 78, 283, 203, 396, 953, 652, *range(1000))
"""The first ones show what few others do."""

BY_HOLDER = frozenset({"heartbeat", "record_opening", "complete", "fail", "give_back"})


def test_no_schedule_breaks_a_promise() -> None:
    report = play(SEEDS)
    assert report.violations == {}
    assert report.changes_missed == []


def test_nothing_rests_on_the_deduplication_of_the_queue() -> None:
    assert play(SEEDS, partial(World, kept=Kept(deduplicates=False))).violations == {}


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
