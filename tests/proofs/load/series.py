"""Series of equal calls, limited in number and time, and what their rows say about larger tables."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from tests.proofs.report import Row

CallOnce = Callable[[], float]
"""Calls, and gives the seconds that it took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """What is measured; ``gateway`` names the backends that are also measured through the gateway."""

    sizes: tuple[int, ...] = (10, 1_000, 100_000)
    most_calls: int = 200
    least_calls: int = 5
    most_s: float = 3
    page: int = 20
    clients: int = 4
    gateway: tuple[str, ...] = ("moto", "dynalite")

    def is_enough(self, calls_made: int, spent_s: float) -> bool:
        """Whether a series ends: after ``most_calls``, or after ``most_s`` seconds and ``least_calls``."""
        return calls_made >= self.most_calls or (calls_made >= self.least_calls and spent_s > self.most_s)


def run_in_turns(calls_once: Sequence[CallOnce], plan: LoadPlan) -> list[Row]:
    """A series of each, all in turns; those that have had enough leave the turn to the others."""
    for call_once in calls_once:
        call_once()  # the first call connects and imports
    every: list[tuple[CallOnce, list[float]]] = [(call_once, []) for call_once in calls_once]
    open_ones = every
    while open_ones:
        for call_once, times_s in open_ones:
            times_s.append(call_once())
        open_ones = [one for one in open_ones if not plan.is_enough(len(one[1]), sum(one[1]))]
    return [_summary(times_s, sum(times_s)) for _, times_s in every]


def run_at_once(call_once: CallOnce, plan: LoadPlan) -> Row:
    """One series by ``plan.clients`` threads at the same time."""
    call_once()
    started = time.perf_counter()

    def call(number: int) -> float | None:
        return None if plan.is_enough(number, time.perf_counter() - started) else call_once()

    with ThreadPoolExecutor(plan.clients) as pool:
        times_s = [took_s for took_s in pool.map(call, range(plan.most_calls)) if took_s is not None]
    return _summary(times_s, time.perf_counter() - started)


def _summary(times_s: Sequence[float], wall_s: float) -> Row:
    """How many calls, how many a second, and how long they took: each percentile is a measured time."""
    percentiles = np.percentile(times_s, (50, 95, 99), method="inverted_cdf") * 1000
    row: Row = {"calls": len(times_s), "a_second": len(times_s) / wall_s}
    return row | dict(zip(("p50_ms", "p95_ms", "p99_ms"), percentiles.tolist(), strict=True))


def growth(rows: Sequence[Row]) -> list[str]:
    """A sentence for each call that needs more of a larger table; none if the service stays as fast."""
    counted: dict[tuple[str, str], list[Row]] = {}
    for row in sorted((row for row in rows if "requests" in row), key=lambda row: row["jobs"]):
        counted.setdefault((row["backend"], row["call"]), []).append(row)
    return [sentence for key in sorted(counted) for sentence in _growth_of(counted[key])]


def _growth_of(rows: list[Row]) -> Iterator[str]:
    what = f"{rows[0]['call']} on {rows[0]['backend']}"
    if len({row["operations"] for row in rows}) > 1:
        yield f"{what}: the requests differ: {_by_size(rows, 'operations')}"
    if any(row["evaluated"] > row["reads_at_most"] for row in rows):
        yield f"{what}: looks at more than {rows[0]['reads_at_most']} items: {_by_size(rows, 'evaluated')}"
    # A table with less than two pages may have less to look at.
    full = [row for row in rows if row["jobs"] >= 2 * row["reads_at_most"]]
    if len({row["evaluated"] for row in full}) > 1:
        yield f"{what}: the items looked at differ: {_by_size(full, 'evaluated')}"


def _by_size(rows: list[Row], key: str) -> str:
    return "; ".join(f"{row['jobs']:,} jobs: {row[key]}" for row in rows)
