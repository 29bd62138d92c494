"""The functions, each invocation a process of its own, called as AWS does: late, twice, or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from video_jobs.adapters.aws.job_attributes import to_attributes
from video_jobs.application import VideoJobs
from video_jobs.domain.errors import WebhookDeliveryError
from video_jobs.domain.job import Job, to_iso
from video_jobs.domain.keys import VIDEO_SUFFIX
from video_jobs.domain.webhooks import WebhookMessage
from video_jobs.ports import StoredFile

from tests.proofs.simulation.faults import FaultPlan

if TYPE_CHECKING:
    from tests.proofs.simulation.world import World

_RECONCILE_EVERY_S = 120
_TRIES = 5
_FETCH_RECEIVES, _FETCH_VISIBILITY_S = 3, 1800


class Functions:
    def __init__(self, world: World) -> None:
        self._world, self._random = world, world.random

    def on_object(self, stored: StoredFile) -> None:
        """S3's event: it may be lost, late, or come twice."""
        faults = self._world.faults
        if not stored.key.endswith(VIDEO_SUFFIX) or faults.happens("lost event", 0.05):
            return
        for _ in range(2 if faults.happens("duplicate event", 0.1) else 1):
            late = faults.happens("late event", 0.1)
            self._later(partial(self._upload_received, stored), self._random.uniform(0, 2000 if late else 3))

    def on_help(self, send: Callable[[], None]) -> None:
        """A message that asks for help: it may be lost, late, or come twice."""
        faults = self._world.faults
        if faults.happens("lost help", 0.05):
            return
        for _ in range(2 if faults.happens("duplicate help", 0.1) else 1):
            if faults.happens("late help", 0.1):
                self._later(partial(self._send, send), self._random.uniform(1, 300))
            else:
                send()

    def on_change(self, before: Job, after: Job) -> None:
        """The change stream: nothing is lost in it."""
        if before.status is not after.status and not after.status.is_open:
            images = _image_of(before), _image_of(after)
            for reader in ("job_events", "queue_webhook"):
                self._later(partial(self._read_change, reader, *images), self._random.uniform(0, 3))

    def reconcile(self) -> None:
        while True:
            self._world.scheduler.sleep(_RECONCILE_EVERY_S)
            self._world.attempt(self._app("reconcile").upkeep.reconcile)

    def bury_dead_letters(self) -> None:
        """Each dead letter is tried until it is handled."""
        letters = self._world.queue.dead_letters
        while True:
            self._world.scheduler.sleep(self._random.uniform(5, 60))
            for letter in list(letters):
                if self._world.attempt(partial(self._app("dead_letter").upkeep.bury, *letter)):
                    letters.remove(letter)

    def deliver_webhooks(self) -> None:
        """Each call is tried until it is delivered, or given up once more than its attempts."""
        queue, attempts = self._world.webhooks.sent, dict[int, int]()
        while True:
            self._world.scheduler.sleep(self._random.uniform(1, 20))
            for message in list(queue):
                attempt = attempts[id(message)] = attempts.get(id(message), 0) + 1
                if self._is_done(message, attempt):
                    queue.remove(message)

    def _is_done(self, message: WebhookMessage, attempt: int) -> bool:
        app = self._app("deliver_webhook")
        try:
            return self._world.attempt(partial(app.notify.deliver, message, attempt, "receipt"))
        except WebhookDeliveryError:
            return attempt >= app.rules.webhook_attempts

    def on_fetch(self, job_id: str, delay_s: float) -> None:
        """A message of the queue of fetches: one whose function died comes again, late, and not for ever."""
        self._later(partial(self._fetch_source, job_id), delay_s + self._random.uniform(0, 3))

    def _fetch_source(self, job_id: str) -> None:
        for _ in range(_FETCH_RECEIVES):
            if self._world.attempt(partial(self._app("fetch_source").sources.fetch, job_id)):
                break
            self._world.scheduler.sleep(_FETCH_VISIBILITY_S)
        self._world.busy -= 1

    def _upload_received(self, stored: StoredFile) -> None:
        for _ in range(_TRIES):
            accept = self._app("upload_received").intake.accept_upload
            if self._world.attempt(partial(accept, stored.key, stored.version)):
                break
            self._world.scheduler.sleep(self._random.uniform(30, 90))
        self._world.busy -= 1

    def _read_change(self, function: str, before: dict[str, Any], after: dict[str, Any]) -> None:
        name = "publish" if function == "job_events" else "queue_webhook"
        while not self._world.attempt(partial(getattr(self._app(function).notify, name), before, after)):
            self._world.scheduler.sleep(self._random.uniform(1, 30))
        self._world.busy -= 1

    def _send(self, send: Callable[[], None]) -> None:
        send()
        self._world.busy -= 1

    def _later(self, work: Any, delay_s: float) -> None:
        self._world.busy += 1
        self._world.scheduler.spawn(work, delay_s)

    def _app(self, function: str) -> VideoJobs:
        return self._world.app(self._world.process(function))


class Receiver:
    """A `WebhookTransport` in simulated time; ``called`` gets each end that it was told of."""

    def __init__(self, faults: FaultPlan, called: set[tuple[str, int]]) -> None:
        self._faults, self._called = faults, called

    def post(self, url: str, headers: Mapping[str, str], body: str) -> int:
        if self._faults.happens("receiver away", 0.2):
            raise WebhookDeliveryError("The receiver answered 503", 503)
        job_id, generation, _ = json.loads(body)["data"]["event_id"].split(":")
        self._called.add((job_id, int(generation)))
        return 204


def _image_of(job: Job) -> dict[str, Any]:
    """The item as the change stream shows it."""
    attributes = to_attributes(job).items()
    return {name: to_iso(value) if isinstance(value, datetime) else value for name, value in attributes}
