"""The whole local stack: real processes, HTTP, one worker."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from msgspec.json import encode
from video_jobs_client import Client
from video_jobs_client.uploads import UploadSettings

from tests.support.ready_stack import ready_stack
from tests.support.source_server import SourceServer
from tests.support.webhook_receiver import WebhookReceiver
from tools.local_stack.stack import LocalStack

TIMEOUT_S = 60
ROOT = Path(__file__).parents[2]
SOURCE_NAMES = ROOT / "tests" / "support" / "source_names"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The product runs in processes of its own here; a tracer would only slow moto and the gateway down."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.no_cover)


def wait_until(condition: Callable[[], bool]) -> None:
    """Ask again and again, for a while."""
    ends_at = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < ends_at
        time.sleep(0.1)


class Api:
    """The REST API as a client uses it, with the answers as they are."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = Client(url)

    def submit_body(self, content: bytes, **query: Any) -> requests.Response:
        url, headers = f"{self.url}/video/submit", {"content-type": "video/mp4"}
        return requests.post(url, data=content, headers=headers, params=query, timeout=30)

    def submit_presigned(self, video: Path, **options: Any) -> str:
        upload = UploadSettings(method="form", resume=False)
        return self.client.analyse(video, upload=upload, **options).id

    def get(self, path: str) -> requests.Response:
        return requests.get(self.url + path, timeout=30)

    def status(self, job_id: str) -> dict[str, Any]:
        return self._json("GET", f"/video/status/{job_id}")

    def job(self, job_id: str) -> dict[str, Any]:
        return self._json("GET", f"/video/jobs/{job_id}")

    def quote(self, **facts: Any) -> dict[str, Any]:
        quote: dict[str, Any] = json.loads(encode(self.client.quote(**facts)))
        return quote

    def _json(self, method: str, path: str) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.client.request(method, path).content)
        return body

    def wait_for_end(self, job_id: str, timeout_s: float = TIMEOUT_S) -> tuple[dict[str, Any], list[str]]:
        """The last status, and each status that was seen on the way."""
        seen: list[str] = []
        ends_at = time.monotonic() + timeout_s
        while time.monotonic() < ends_at:
            body = self.status(job_id)
            if body["status"] not in seen[-1:]:
                seen.append(body["status"])
            if body["status"] in ("completed", "failed"):
                return body, seen
            time.sleep(0.02)
        raise AssertionError(f"job {job_id} did not end: {seen}")


@pytest.fixture(scope="package")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebhookReceiver]:
    with WebhookReceiver(tmp_path_factory.mktemp("receiver")) as running:
        yield running


@pytest.fixture(scope="package")
def source_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SourceServer]:
    with SourceServer(tmp_path_factory.mktemp("source")) as running:
        yield running


@pytest.fixture(scope="package")
def stack(
    model_path: Path,
    receiver: WebhookReceiver,
    source_server: SourceServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[LocalStack]:
    """The functions trust the servers of these tests, and find them by their names."""
    trusted = tmp_path_factory.mktemp("trusted") / "trusted.pem"
    trusted.write_bytes(receiver.certificate.read_bytes() + source_server.certificate.read_bytes())
    paths = (SOURCE_NAMES, ROOT, ROOT / "layers/common/python")
    settings = {
        "WEBHOOK_NETWORKS": "127.0.0.0/8",
        "SSL_CERT_FILE": str(trusted),
        "SOURCE_SERVER_PORT": str(source_server.port),
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
    }
    models = {"MODEL_PATH": str(model_path)}
    yield from ready_stack(tmp_path_factory, worker_settings=models, function_settings=settings)


@pytest.fixture(scope="package")
def api(stack: LocalStack) -> Api:
    return Api(stack.url)
