"""How a job asks for a call, what the call holds, and whose secret signs it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from video_jobs.bootstrap import AwsServices
from video_jobs.domain.webhooks import WebhookMessage

from functions.job_events import app as job_events
from tests.integration.conftest import call, load_event
from tests.support.aws import Resources
from tools.webhook_secret import new_secret

DOCS = Path(__file__).parents[2] / "docs" / "webhooks.md"


def test_the_body_is_as_its_documentation_says(
    resources: Resources, context: LambdaContext, services: AwsServices
) -> None:
    job_events.lambda_handler(load_event("job_events"), context)
    sqs = boto3.client("sqs", region_name="us-east-1")
    (message,) = sqs.receive_message(QueueUrl=resources.id("WebhooksQueue"))["Messages"]
    (example,) = re.findall(r"```json\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert json.loads(WebhookMessage.from_json(message["Body"]).body) == json.loads(example)


def test_a_replaced_secret_signs_beside_the_new_one_until_the_next(services: AwsServices) -> None:
    client = boto3.client("secretsmanager", region_name="us-east-1")
    first, second, third = (new_secret(client, "tests/webhooks/local") for _ in range(3))
    assert len({first, second, third}) == 3
    assert client.get_secret_value(SecretId="tests/webhooks/local")["SecretString"] == f"{third} {second}"
    settings = replace(services.settings, webhook_secret_prefix="tests/webhooks/")
    assert AwsServices(settings).webhook_secrets.secret_of("local") == f"{third} {second}"


def test_a_callback_url_is_taken_by_both_ways_of_submitting(services: AwsServices) -> None:
    url = "https://receiver.example/hook"
    event = load_event("submit_video")
    event["queryStringParameters"] = {"callback_url": url}
    for submitted in (
        event,
        load_event("submit_json") | {"body": json.dumps({"size_bytes": 9, "callback_url": url})},
    ):
        status, body = call(submitted)
        assert status == 201
        job = services.jobs.get_by_id(body["job_id"])
        assert job is not None
        assert job.callback_url == url


@pytest.mark.parametrize("url", ["http://receiver.example/", "https://127.0.0.1/", "https://x/" + "y" * 3000])
def test_a_callback_url_that_is_none_is_refused(services: AwsServices, url: str) -> None:
    body = json.dumps({"size_bytes": 9, "callback_url": url})
    status, problem = call(load_event("submit_json") | {"body": body})
    assert (status, problem["code"]) == (400, "invalid_request")
    assert "callback_url" in problem["detail"]
    assert services.jobs.list_by_owner("local", 10) == []
