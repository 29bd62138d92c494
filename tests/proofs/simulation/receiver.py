"""Who is called when a job ends: answers, or does not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random

from video_jobs.domain.errors import WebhookDeliveryError

from tests.proofs.simulation.faults import FaultPlan


class Receiver:
    """`video_jobs.ports.WebhookTransport` in simulated time; ``called`` gets each end that it was told of."""

    def __init__(self, random: Random, faults: FaultPlan, called: set[tuple[str, int]]) -> None:
        self._random, self._faults, self._called = random, faults, called

    def post(self, url: str, headers: Mapping[str, str], body: str) -> int:
        """One call."""
        if self._faults.happens("receiver away", 0.2):
            raise WebhookDeliveryError("The receiver answered 503", 503)
        job_id, generation, _ = json.loads(body)["data"]["event_id"].split(":")
        self._called.add((job_id, int(generation)))
        return 204
