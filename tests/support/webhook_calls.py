"""Calls to a ``callback_url``, as the service makes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from video_jobs.domain.job_events import event_of_change
from video_jobs.domain.webhooks import WebhookMessage, signed_headers

from tests.support.played_service import JOB_ID

SECRET, OTHER = "whsec_MDEyMzQ1Njc4OWFiY2RlZg==", "whsec_ZmVkY2JhOTg3NjU0MzIxMA=="


def called(status: str = "completed", secrets: str = SECRET, age_s: float = 0) -> tuple[str, dict[str, str]]:
    """A call as the service makes it: body and headers."""
    item = {
        "job_id": JOB_ID,
        "owner": "local",
        "status": status,
        "pipeline_id": "yolo_ocr",
        "frames_done": 40,
        "generation": 1,
        "updated_at": "2026-03-01T00:00:00.000000Z",
        "callback_url": "https://receiver.example/hook",
        "error_code": "unreadable_video" if status == "failed" else None,
        "error_message": "Unable to read video file" if status == "failed" else None,
    }
    event = event_of_change(None, item)
    assert event is not None
    message = WebhookMessage.of_event(event, item)
    assert message is not None
    sent_at = datetime.now(UTC) - timedelta(seconds=age_s)
    return message.body, signed_headers(message.event_id, sent_at, message.body, secrets)
