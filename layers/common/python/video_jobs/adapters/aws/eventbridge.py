"""Events on an EventBridge bus."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from video_jobs.adapters.aws.errors import transient_errors_translated
from video_jobs.domain.errors import TransientError
from video_jobs.domain.job_events import SOURCE, JobEvent

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient


class EventBridgeBus:
    """Publishes on one EventBridge bus."""

    def __init__(self, client: EventBridgeClient, bus_name: str) -> None:
        self._client = client
        self._bus_name = bus_name

    def publish(self, event: JobEvent) -> None:
        """PutEvents with one entry; even an answer with status 200 may say that the entry failed."""
        with transient_errors_translated("EventBridge"):
            answer = self._client.put_events(
                Entries=[
                    {
                        "Source": SOURCE,
                        "DetailType": event.detail_type,
                        "Detail": json.dumps(dict(event.detail)),
                        "EventBusName": self._bus_name,
                    }
                ]
            )
        if answer["FailedEntryCount"]:
            raise TransientError(f"EventBridge did not accept the event: {answer['Entries'][0]['ErrorCode']}")
