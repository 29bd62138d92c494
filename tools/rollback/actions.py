"""A plan is a list of steps, a step a list of what is still to do for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from tools.rollback.record import Record, State
from tools.rollback.switches import Switch


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do; what is done already has no action."""

    text: str
    run: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Step:
    """A part of the plan; ``actions`` looks at what there is when it is asked."""

    title: str
    actions: Callable[[], Iterable[Action]]


def run_steps(steps: Iterable[Step], *, apply: bool) -> None:
    """Print each step's actions, and do them where ``apply`` is set."""
    for number, step in enumerate(steps, 1):
        print(f"[{number}] {step.title}", flush=True)
        is_done = True
        for action in step.actions():
            is_done = False
            print(f"    {'' if apply else 'would '}{action.text}", flush=True)
            if apply:
                action.run()
        if is_done:
            print("    nothing to do")


def turn_off(switches: Iterable[Switch], record: Record) -> Iterator[Action]:
    """Turn off what is on."""
    for switch in switches:
        before = switch.read()
        if before != switch.off:
            yield Action(f"turn off {switch.key}", partial(_turn_off, switch, before, record))


def turn_back(switches: Iterable[Switch], before: dict[str, State]) -> Iterator[Action]:
    """Put switches back to what the record says, the last turned off first."""
    by_key = {switch.key: switch for switch in switches}
    for key in reversed(before):
        if key in by_key and by_key[key].read() != before[key]:
            yield Action(f"turn on {key}", partial(by_key[key].write, before[key]))


def _turn_off(switch: Switch, before: State, record: Record) -> None:
    record.before.setdefault(switch.key, before)
    record.save()
    switch.write(switch.off)
