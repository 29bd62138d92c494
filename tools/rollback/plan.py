"""The steps of a rollback, in their order, and the way back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

from botocore.exceptions import WaiterError

from tools.rollback import switches
from tools.rollback.actions import Action, Step, turn_back, turn_off
from tools.rollback.deployment import KEEPS_DATA, Aws, Deployment
from tools.rollback.drain import drain, live_tasks, stop_tasks, work_left
from tools.rollback.export import Export
from tools.rollback.items import items_of, tables_there
from tools.rollback.objects import ObjectFiles, buckets_there
from tools.rollback.purge import purge
from tools.rollback.queues import MessageFile, Pause
from tools.rollback.record import Record, RefusedError, UnfinishedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the operator decided."""

    folder: Path
    infrastructure: bool = True
    data: str = "keep"
    with_videos: bool = False
    may_leave_open: bool = False
    wait_s: float = 3600
    poll_s: float = 5


class Plan:
    """What there is to do for one deployment."""

    def __init__(
        self, aws: Aws, deployment: Deployment, record: Record, options: Options, pause: Pause = time.sleep
    ) -> None:
        self._aws = aws
        self._deployment = deployment
        self._record = record
        self._options = options
        self._pause = pause
        self._export = Export(aws, deployment, record, options.folder, pause)

    def steps(self) -> list[Step]:
        """The way forward.

        Raises
        ------
        RefusedError
            If it would lose data.
        """
        chosen = self._options
        self._check()
        steps = []
        if chosen.infrastructure:
            steps += [
                Step("Stop intake", self._stop_intake),
                Step("Drain", self._drain),
                Step("Stop processing", self._stop_processing),
                Step("Export open work", partial(self._export.open_work, chosen.wait_s, chosen.poll_s)),
            ]
        if chosen.data == "export":
            steps.append(Step("Export", partial(self._export.data, with_videos=chosen.with_videos)))
        if chosen.infrastructure:
            steps.append(Step("Delete the stack", self._delete_stack))
        if chosen.data == "purge":
            steps.append(Step("Purge", self._purge))
        return steps

    def way_back(self) -> list[Step]:
        """Everything on again, as long as the stack is there.

        Raises
        ------
        RefusedError
            If it is not, or nothing is known of how it was.
        """
        if not self._record.stack_id:
            raise RefusedError("The folder holds no record of a rollback; give the --export-to of its runs")
        if not self._deployment.exists:
            raise RefusedError(
                f"{self._deployment.name} is gone; docs/rollback.md says how to deploy it again"
            )
        return [
            Step("Send messages back", self._send_back),
            Step("Turn on again", lambda: turn_back(self._all_switches(), self._record.before)),
        ]

    def what_is_there(self) -> Iterator[str]:
        """Everything that outlives the stack, or still waits for its deletion."""
        if self._deployment.exists:
            yield f"the stack {self._deployment.name} ({self._deployment.status})"
        for table in tables_there(self._aws, self._deployment):
            count = sum(1 for _ in items_of(self._aws, table))
            yield f"{table.logical_id}: table {table.physical_id}, {count} items"
        for bucket in buckets_there(self._aws, self._deployment):
            files = ObjectFiles(self._aws, self._deployment, self._options.folder)
            count = sum(1 for _ in files.stored(lambda stored: stored.is_latest))
            yield f"{bucket.logical_id}: bucket {bucket.physical_id}, {count} objects"
        for resource in self._deployment.resources:
            if resource.logical_id in self._deployment.retained and resource.kind not in KEEPS_DATA:
                yield f"{resource.logical_id}: {resource.kind} {resource.physical_id}"

    def _check(self) -> None:
        stack, chosen = self._deployment, self._options
        lost = [it.logical_id for it in stack.of(*KEEPS_DATA) if it.logical_id not in stack.retained]
        if chosen.infrastructure and lost:
            names = ", ".join(lost)
            raise RefusedError(
                f"Deleting the stack would delete {names}: deploy with DeletionPolicy: Retain first"
            )
        if chosen.data == "purge" and stack.exists and not chosen.infrastructure:
            raise RefusedError("Data is purged after the stack: run --only infrastructure first")

    def _stop_intake(self) -> Iterator[Action]:
        if self._deployment.exists:
            yield from turn_off(switches.intake(self._aws, self._deployment), self._record)

    def _drain(self) -> Iterator[Action]:
        if not self._deployment.exists or self._record.drained:
            return
        left, chosen = work_left(self._aws, self._deployment), self._options
        if left.is_none:
            return
        text = f"wait until jobs and queues are done ({left}), at most {chosen.wait_s:g} s"
        yield Action(text, self._wait_until_drained)

    def _wait_until_drained(self) -> None:
        drain(
            self._aws,
            self._deployment,
            wait_s=self._options.wait_s,
            poll_s=self._options.poll_s,
            may_leave_open=self._options.may_leave_open,
            pause=self._pause,
        )
        self._record.drained = True
        self._record.save()

    def _stop_processing(self) -> Iterator[Action]:
        if not self._deployment.exists:
            return
        yield from turn_off(switches.processing(self._aws, self._deployment), self._record)
        tasks = list(live_tasks(self._aws, self._deployment))
        if tasks:
            yield Action(f"stop {len(tasks)} workers", partial(stop_tasks, self._aws, tasks))

    def _delete_stack(self) -> Iterator[Action]:
        if not self._deployment.exists:
            return
        yield from turn_off(switches.instances(self._aws, self._deployment), self._record)
        stays = ", ".join(sorted(self._deployment.retained)) or "nothing"
        yield Action(f"delete the stack {self._deployment.name}; of it stays: {stays}", self._delete_and_wait)

    def _delete_and_wait(self) -> None:
        cloudformation = self._aws.client("cloudformation")
        cloudformation.delete_stack(StackName=self._deployment.stack_id)
        try:
            cloudformation.get_waiter("stack_delete_complete").wait(StackName=self._deployment.stack_id)
        except WaiterError as exc:
            raise UnfinishedError(f"{self._deployment.name} is not deleted: {exc}") from exc

    def _purge(self) -> Iterator[Action]:
        yield from self._export.before_purge()
        yield from purge(self._aws, self._deployment)

    def _send_back(self) -> Iterator[Action]:
        messages = MessageFile(self._aws, self._options.folder)
        count = len(messages.unsent())
        if count:
            yield Action(
                f"send {count} messages to their queues", partial(messages.send_back, self._deployment)
            )

    def _all_switches(self) -> Iterator[switches.Switch]:
        kinds = (switches.intake, switches.processing, switches.instances)
        return chain.from_iterable(kind(self._aws, self._deployment) for kind in kinds)
