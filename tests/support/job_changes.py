"""Every change of a job that some use case makes, as the code of `video_jobs.domain.changes` allows it."""

from __future__ import annotations

import inspect
from collections import ChainMap
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from video_jobs.domain import changes, delivery_changes, fetch_changes, turns
from video_jobs.domain.accounts import Place
from video_jobs.domain.job import Delivery, DeliveryState, Failure, Job, JobStatus, Output, Progress, Upload

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class PossibleChange(NamedTuple):
    """The function that makes it, what it is called in the log, and the job's state before and after."""

    name: str
    action: str
    before: str
    after: str


DELIVERIES = ("record_delivery", "give_up_delivery")
NEVER_ASKED_FOR = {(name, state, state) for name in DELIVERIES for state in ("pending", "running")}
NEVER_ASKED_FOR |= {(name, "failed", "failed") for name in ("cancel", "fail_unheld")}
NEVER_ASKED_FOR |= {("postpone", "failed", "pending")}
NEVER_ASKED_FOR |= {("leave_account", str(status), str(status)) for status in JobStatus}  # an earlier release
"""Changes that could be made, but no use case makes them."""


def every_change() -> set[PossibleChange]:
    possible = set(_possible_changes())
    never = {one for one in possible if (one.name, one.before, one.after) in NEVER_ASKED_FOR}
    assert len(never) == len(NEVER_ASKED_FOR)
    return possible - never


def _possible_changes() -> Iterator[PossibleChange]:
    modules = (changes, delivery_changes, fetch_changes, turns)
    for name, function in ChainMap(*map(vars, modules)).items():
        is_change = inspect.isfunction(function) and function.__annotations__.get("return") == "Change"
        of_a_job = is_change and next(iter(inspect.signature(function).parameters)) != "change"
        for status in JobStatus if of_a_job and not name.startswith("_") else ():
            change = _made(function, status)
            if change:
                before = change.expected.status
                after = change.values.get("status", before)
                yield PossibleChange(name, change.action, str(before), str(after))


def _made(function: Callable[..., changes.Change], status: JobStatus) -> changes.Change | None:
    job = Job(job_id="j", owner="o", created_at=NOW, updated_at=NOW, upload=Upload(key="p"), status=status)
    known: dict[str, object] = {"now": NOW, "until": NOW, "lease": timedelta(1), "keep": timedelta(1)}
    known |= {"fingerprint": {}, "count_failure": True, "output": Output("k"), "progress": Progress()}
    known["delay"] = timedelta(1)
    known["delivery"] = Delivery(state=DeliveryState.RETRYING, attempts=1, updated_at=NOW)
    known["failure"] = Failure("code", "message")
    known["place"] = Place.SENT
    _, *others = inspect.signature(function).parameters
    try:
        arguments: dict[str, Any] = {name: known.get(name) for name in others}
        return function(job, **arguments)
    except ValueError:
        return None
