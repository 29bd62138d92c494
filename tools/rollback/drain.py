"""Let what is in the service come to its end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tools.rollback.deployment import Aws, Deployment
from tools.rollback.items import open_jobs
from tools.rollback.queues import Pause, consumed_queues, waiting
from tools.rollback.record import UnfinishedError

_ENOUGH_LOOKS = 2
"""Nothing left, so often in a row: a job that ends may still send something on."""


@dataclass(frozen=True, slots=True)
class Work:
    """What has not come to its end."""

    open_jobs: int
    messages: int

    @property
    def is_none(self) -> bool:
        """Whether the service is empty."""
        return not (self.open_jobs or self.messages)

    def __str__(self) -> str:
        return f"{self.open_jobs} open jobs, {self.messages} messages"


def work_left(aws: Aws, deployment: Deployment) -> Work:
    """Open jobs, and messages of the queues that somebody reads."""
    return Work(
        sum(1 for _ in open_jobs(aws, deployment)),
        sum(waiting(aws, queue) for queue in consumed_queues(aws, deployment)),
    )


def drain(
    aws: Aws,
    deployment: Deployment,
    *,
    wait_s: float,
    poll_s: float,
    may_leave_open: bool,
    pause: Pause = time.sleep,
) -> None:
    """Wait until nothing is left.

    Parameters
    ----------
    may_leave_open
        Whether the rollback goes on with what is left after ``wait_s``.

    Raises
    ------
    UnfinishedError
        If something is left and it does not.
    """
    ends_at, empty_looks, shown = time.monotonic() + wait_s, 0, ""
    while empty_looks < _ENOUGH_LOOKS:
        left = work_left(aws, deployment)
        empty_looks = empty_looks + 1 if left.is_none else 0
        if str(left) != shown:
            shown = str(left)
            print(f"      {shown}", flush=True)
        if not left.is_none and time.monotonic() >= ends_at:
            if may_leave_open:
                return
            raise UnfinishedError(
                f"{left} are left. Run again to wait on, or with --open-jobs export to end without them"
            )
        pause(poll_s)


def live_tasks(aws: Aws, deployment: Deployment) -> Iterator[tuple[str, str]]:
    """Cluster and ARN of every task that has not stopped; the stack's cluster runs workers only."""
    ecs = aws.client("ecs")
    for cluster in deployment.of("AWS::ECS::Cluster"):
        for wanted in ("RUNNING", "STOPPED"):
            pages = ecs.get_paginator("list_tasks")
            for page in pages.paginate(cluster=cluster.physical_id, desiredStatus=wanted):
                for task in _described(ecs, cluster.physical_id, page["taskArns"]):
                    if task["lastStatus"] != "STOPPED":
                        yield cluster.physical_id, task["taskArn"]


def stop_tasks(aws: Aws, tasks: list[tuple[str, str]]) -> None:
    """Stop workers, each of which gives back the job it holds, and wait until they are gone."""
    ecs = aws.client("ecs")
    for cluster, task in tasks:
        ecs.stop_task(cluster=cluster, task=task, reason="rollback")
    for cluster, task in tasks:
        ecs.get_waiter("tasks_stopped").wait(cluster=cluster, tasks=[task])


def _described(ecs: Any, cluster: str, tasks: list[str]) -> list[Any]:
    if not tasks:
        return []
    described: list[Any] = ecs.describe_tasks(cluster=cluster, tasks=tasks)["tasks"]
    return described
