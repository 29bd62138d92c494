"""Two thousand schedules full of faults break no promise, not even without the queue's deduplication."""

from __future__ import annotations

from functools import partial

from tests.proofs.simulation.report import play
from tests.proofs.simulation.world import Kept, World

SEEDS = range(2000)


def test_no_schedule_breaks_a_promise() -> None:
    report = play(SEEDS)
    assert report.violations == {}
    assert report.changes_missed == []


def test_nothing_rests_on_the_deduplication_of_the_queue() -> None:
    assert play(SEEDS, partial(World, kept=Kept(deduplicates=False))).violations == {}
