"""One job in the log of the running stack: every process names it, and CloudWatch could read the metrics."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from tests.e2e.conftest import Api, wait_until
from tests.fixtures.make_tiny_mp4 import FRAMES, PATH
from tests.support.webhook_receiver import WebhookReceiver
from tools.local_stack.aws_server import LOCAL_WEBHOOK_SECRET
from tools.local_stack.stack import LocalStack


def lines_of(stack: LocalStack, job_id: str) -> Iterator[dict[str, Any]]:
    for line in stack.log_file.read_text(encoding="utf-8").splitlines():
        if line.startswith("{") and job_id in line:
            yield json.loads(line)


def words_of(lines: Iterable[dict[str, Any]]) -> set[Any]:
    """The actions of log lines, and the names in lines of metrics."""
    return {word for line in lines for word in (*line, line.get("action"))}


def test_every_process_names_the_job_on_its_way(
    api: Api, stack: LocalStack, receiver: WebhookReceiver
) -> None:
    # WHEN a job goes from its request to its results and its webhook
    job_id = api.submit_presigned(PATH, callback_url=f"{receiver.url}/logs?token=private")
    api.wait_for_end(job_id)
    assert api.get(f"/video/results/{job_id}").status_code == 200
    # THEN each process has written its last line about it, without waiting for another job
    last = {"job_event_sent", "webhook_delivered", "JobsCompleted", "AttemptsEnded"}
    wait_until(lambda: last <= words_of(lines_of(stack, job_id)))
    # AND all of them under its id
    lines = list(lines_of(stack, job_id))
    logged = {
        (one.get("function_name", one["service"]), one["action"])
        for one in lines
        if "action" in one and one["job_id"] == job_id
    }
    assert logged >= {
        ("VideoApiFunction", "request_answered"),
        ("UploadReceivedFunction", "upload_handled"),
        ("video-worker", "job_started"),
        ("video-worker", "job_completed"),
        ("JobEventsFunction", "job_event_sent"),
        ("DeliverWebhookFunction", "webhook_delivered"),
    }
    # AND function and worker have written their metrics
    written = {name: one for one in lines if "_aws" in one for name in one}
    assert written["JobsCompleted"]["service"] == "video-jobs"
    assert (written["Frames"]["service"], written["Frames"]["Frames"]) == ("video-worker", [FRAMES])
    # AND nothing secret
    text = stack.log_file.read_text(encoding="utf-8").lower()
    for secret in ("token=private", "x-amz-signature", LOCAL_WEBHOOK_SECRET.lower()):
        assert secret not in text
