"""Play many schedules and add up what happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.proofs.simulation.world import World
from tests.support.job_changes import every_change

_EVERY_CHANGE = sorted({f"{one.action}: {one.before} -> {one.after}" for one in every_change()})


@dataclass
class Report:
    """What a number of schedules showed.

    ``violations`` maps seeds to sentences; ``steps`` are the calls and faults of the last schedule.
    """

    schedules: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    help: Counter[str] = field(default_factory=Counter)
    violations: dict[int, list[str]] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)

    @property
    def changes_missed(self) -> list[str]:
        return [name for name in _EVERY_CHANGE if not self.changes[name]]

    def add(self, seed: int, world: World) -> None:
        self.schedules += 1
        self.steps = world.faults.steps
        self.faults += world.faults.injected
        self.changes += world.invariants.changes
        self.help += world.helped.seen
        jobs = world.jobs.all.values()
        self.outcomes.update(job.error.code if job.error else str(job.status) for job in jobs)
        if world.invariants.violations:
            self.violations[seed] = world.invariants.violations

    def lines(self) -> Iterable[str]:
        yield f"schedules   {self.schedules}"
        for title in ("faults", "changes", "outcomes", "help"):
            counts: Counter[str] = getattr(self, title)
            yield f"{title:<11} {counts.total()}"
            yield from (f"  {count:>10}  {name}" for name, count in counts.most_common())
        covered = len(_EVERY_CHANGE) - len(self.changes_missed)
        yield f"covered     {covered} of {len(_EVERY_CHANGE)} changes"
        yield f"violations  {len(self.violations)}"
        for seed, sentences in self.violations.items():
            yield f"  seed {seed}: {sentences[0]}  (replay: make simulate SEED={seed} SCHEDULES=1)"


def play(
    seeds: Iterable[int], make_world: Callable[[int], World] = World, *, stop_at_violation: bool = False
) -> Report:
    report = Report()
    for seed in seeds:
        world = make_world(seed)
        world.run()
        report.add(seed, world)
        if stop_at_violation and report.violations:
            break
    return report
