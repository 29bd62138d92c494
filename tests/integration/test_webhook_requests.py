"""How a job asks for a call, what the call holds, and whose secret signs it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from video_jobs.adapters.aws.secrets_manager import SecretsManagerWebhookSecrets
from video_jobs.adapters.local.memory_notify import MemoryWebhookQueue
from video_jobs.application import VideoJobs

from functions.queue_webhook import app as queue_webhook
from tests.integration.conftest import asked, call, load_event
from tests.integration.job_states import stored_job
from tools.webhook_secret import new_secret

DOCS = Path(__file__).parents[2] / "docs" / "webhooks.md"


def test_the_body_is_as_its_documentation_says(app: VideoJobs, context: LambdaContext) -> None:
    queue_webhook.lambda_handler(load_event("queue_webhook"), context)
    assert isinstance(app.ports.webhooks, MemoryWebhookQueue)
    (message,) = app.ports.webhooks.sent
    (example,) = re.findall(r"```json\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert json.loads(message.body) == json.loads(example)


def test_a_replaced_secret_signs_beside_the_new_one_until_the_next(aws: None) -> None:
    client = boto3.client("secretsmanager", region_name="us-east-1")
    first, second, third = (new_secret(client, "tests/webhooks/local") for _ in range(3))
    assert len({first, second, third}) == 3
    assert client.get_secret_value(SecretId="tests/webhooks/local")["SecretString"] == f"{third} {second}"
    secrets = SecretsManagerWebhookSecrets(client, "tests/webhooks/")
    assert secrets.secret_of("local") == f"{third} {second}"


def test_a_callback_url_is_taken_by_both_ways_of_submitting_and_a_wrong_one_refused(app: VideoJobs) -> None:
    url = "https://receiver.example/hook"
    for submitted in (
        asked("submit_video", {"callback_url": url}),
        load_event("submit_json") | {"body": json.dumps({"size_bytes": 9, "callback_url": url})},
    ):
        status, body = call(submitted)
        assert status == 201
        assert stored_job(app, body["job_id"]).options.callback_url == url
    for url in ("http://receiver.example/", "https://127.0.0.1/", "https://x/" + "y" * 3000):
        sent = json.dumps({"size_bytes": 9, "callback_url": url})
        status, problem = call(load_event("submit_json") | {"body": sent})
        assert (status, problem["code"]) == (400, "invalid_request")
        assert "callback_url" in problem["detail"]
    assert len(app.ports.jobs.list_by_owner("local", 10)) == 2
