"""docs/fleet.md, written from the replay."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tests.proofs.fleet.replay import LIMITS, START_TAKES, Outcome, replay
from tests.proofs.fleet.scenarios import SCENARIOS, Waits
from tests.proofs.report import ROOT
from tools.markdown_writer import table

PAGE = ROOT / "docs" / "fleet.md"

_TEXT = """# The number of workers

`plan_fleet` in `layers/common/python/video_jobs/domain/fleet.py` decides how many workers there should
be. It is a pure function of three things: what is waiting and running, the limits, and the decision
before.

- Workers are added at once: one for every `WorkerBacklogPerTask` waiting jobs, at least one, at most
  `WorkerMaxCount`.
- Jobs that wait in the table for their owner's turn count too, but there are no more workers for them than
  jobs in the queue or held: a job in the table is sent only when one of these has ended.
- If all workers are busy and a job has waited for `WorkerLongestWaitSeconds`, one more is added.
- A worker is taken away only after fewer were enough for {spare_min} minutes. They go one by one, a
  minute apart.
- There are never fewer workers than jobs that a worker holds. No worker is taken away while a job waits.
- With `QueueOrder=strict` there is at most one, because a second one would never get a job.
- If the number of waiting jobs is missing, the decision before stays.

## Who calls it

`ReconcileFunction` calls it every minute. It reads the attributes of `JobsQueue`, the live leases and the
oldest waiting job in `JobsTable`, and the desired count of the ECS service. `UploadReceivedFunction` does
not wait for it: if no worker is asked for, it asks for one, at most once a minute.

ECS has no compare-and-set, and the two functions may run at the same time. Therefore the desired count is
set only by the holder of a lease in the fleet's item of `StateTable`, which also keeps the decision
before. If a call to AWS fails, the number stays as it is, and the function logs the reason with the
action `fleet_failed`
(`tests/unit/test_set_workers.py::test_a_failing_call_changes_nothing_and_says_why`). If you change the
desired count by hand, the next decision starts from your number.

## Jobs that run keep their workers

A worker that holds a job asks ECS for protection from scale-in, for 15 minutes at a time. While the job
runs, it renews the protection every 5 minutes. ECS therefore stops other workers first.

A release does not change the number of workers: deploy with `WorkerDesiredCount=keep`. ECS replaces idle
workers at once and protected ones when they end. A worker ends its job early and gives it back, without
counting a failure, if

- ECS refuses to renew its protection, or
- its task definition was replaced two hours ago, which it reads in the fleet's item.

It stops as after a stop signal: what it finishes within `SHUTDOWN_GRACE_S` is kept, and another worker
continues after the last stored part (`tests/integration/test_retirement.py`). CloudFormation waits three
hours for a service, so this ends before a deployment fails.

## Compared with the policies of before

Before, three alarms with scaling policies set the desired count. `make fleet` replays `plan_fleet` on the
same arrivals, minute by minute, and writes this page; what the alarms came to was recorded while they were
there. A worker needs {start_min} minutes to start; there are at most {most} workers and {per_task} waiting
jobs for each. For the alarms, the metrics of CloudWatch were one to three minutes late (in *delayed metrics*
up to six, in one row never) and needed 15 minutes to resume after 6 idle hours. For `plan_fleet`, every fifth
number of waiting jobs is a minute old and every fiftieth is missing.

{comparison}
The hours are those in which a worker exists, its start included: what a GPU instance costs.
"""


class Row(NamedTuple):
    """A scenario, what became of it before, and what becomes of it now."""

    name: str
    before: Waits
    now: Outcome


def replay_all() -> list[Row]:
    """Every scenario."""
    return [Row(one.name, one.before, replay(one.arrivals)) for one in SCENARIOS]


def render(rows: Iterable[Row]) -> str:
    """The page."""
    return _TEXT.format(
        spare_min=int(LIMITS.spare.total_seconds() / 60),
        start_min=START_TAKES,
        most=LIMITS.max_workers,
        per_task=LIMITS.jobs_per_worker,
        comparison=comparison(rows),
    )


def comparison(rows: Iterable[Row]) -> str:
    """The table."""
    head = ["arrivals", "jobs", "median wait, before", "now", "longest wait, before", "now"]
    head += ["worker hours, before", "now"]
    return table(head, (_cells(row) for row in rows))


def _cells(row: Row) -> list[str]:
    before, now = row.before, row.now
    cells = [row.name, f"{len(now.waits):,}"]
    for earlier, later in ((before.median, now.median), (before.longest, now.longest)):
        cells += [f"{earlier} min", f"{later} min"]
    return [*cells, f"{before.hours:.1f}", f"{now.hours:.1f}"]
