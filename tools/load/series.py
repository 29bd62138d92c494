"""Series of equal calls: bounded in count and time, each summed up in a row."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
CallOnce = Callable[[], float]
"""Calls, and gives the seconds that it took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """What is measured.

    A series makes ``most_calls``, or as many as ``most_s`` seconds allow, but ``least_calls``. ``gateway``
    names the backends that are measured through the gateway too.
    """

    sizes: tuple[int, ...] = (10, 1_000, 100_000)
    most_calls: int = 200
    least_calls: int = 5
    most_s: float = 3
    page: int = 20
    clients: int = 4
    gateway: tuple[str, ...] = ("moto", "dynalite")


def run_in_turns(calls_once: Sequence[CallOnce], plan: LoadPlan) -> list[Row]:
    """A series of each, all in turns; those that are through leave the turn to the others."""
    every = [_Series(call_once, plan) for call_once in calls_once]
    open_ones = every
    while open_ones:
        open_ones = [series for series in open_ones if series.go_on()]
    return [summary(series.times_s, sum(series.times_s)) for series in every]


class _Series:
    def __init__(self, call_once: CallOnce, plan: LoadPlan) -> None:
        self._call_once, self._plan = call_once, plan
        self.times_s: list[float] = []
        call_once()  # the first one connects and imports

    def go_on(self) -> bool:
        """Call once more, unless it was enough."""
        calls, plan = len(self.times_s), self._plan
        is_over = calls >= plan.least_calls and sum(self.times_s) > plan.most_s
        if is_over or calls >= plan.most_calls:
            return False
        self.times_s.append(self._call_once())
        return True


def run_at_once(call_once: CallOnce, plan: LoadPlan) -> Row:
    """One series by ``plan.clients`` threads at the same time."""
    call_once()
    started = time.perf_counter()

    def call(number: int) -> float | None:
        is_over = number >= plan.least_calls and time.perf_counter() - started > plan.most_s
        return None if is_over else call_once()

    with ThreadPoolExecutor(plan.clients) as pool:
        times_s = [took_s for took_s in pool.map(call, range(plan.most_calls)) if took_s is not None]
    return summary(times_s, time.perf_counter() - started)


def summary(times_s: Sequence[float], wall_s: float) -> Row:
    """How many calls, how many a second, and how long they took."""
    times_ms = [1000 * took_s for took_s in sorted(times_s)]
    return {
        "calls": len(times_ms),
        "a_second": len(times_ms) / wall_s,
        **{f"p{percent}_ms": percentile(times_ms, percent) for percent in (50, 95, 99)},
    }


def percentile(ordered: Sequence[float], percent: int) -> float:
    """The smallest value that so many percent do not exceed (nearest rank)."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
