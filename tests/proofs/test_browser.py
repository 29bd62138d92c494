"""A browser whose page has another origin logs in, submits, uploads, polls and reads results."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tools.local_stack.loopback_server import HOST, LoopbackServer
from tools.local_stack.stack import LocalStack

VERSION = "1.65.1"
ROOT = Path(__file__).parents[2]
PLAYWRIGHT = ROOT / ".cache" / f"playwright-core-{VERSION}" / "node_modules" / "playwright-core"
JOURNEY = Path(__file__).with_name("browser_journey.js")
TIMEOUT_S = 120


class EmptyPage(LoopbackServer):
    """A page without anything on it, as another site than the API."""

    def __init__(self) -> None:
        page = Request.application(lambda _: Response("<!doctype html>", content_type="text/html"))
        super().__init__(make_server(HOST, 0, page, threaded=True), "page")


def required(found: Any, what: str) -> Any:
    """``found``; where it is missing, the test is skipped with the reason, and fails in CI."""
    if not found:
        reason = f"There is no {what}"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    return found


@pytest.fixture(scope="module")
def tools() -> dict[str, str]:
    """Where Node.js, its driver of browsers, and a browser are."""
    node = required(shutil.which("node"), "Node.js, which drives the browser: install node and npm")
    needed = f"playwright-core {VERSION}: make proofs installs it with npm"
    required(PLAYWRIGHT.is_dir(), needed)
    found = shutil.which("chromium") or shutil.which("google-chrome")
    browser = required(found, "Chromium: apt-get install chromium")
    return {"node": node, "playwright": str(PLAYWRIGHT), "chromium": browser}


@pytest.fixture(scope="module")
def page() -> Iterator[EmptyPage]:
    with EmptyPage() as running:
        yield running


@pytest.fixture(scope="module")
def stack(
    tools: dict[str, str], page: EmptyPage, model_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalStack]:
    """A local stack with logins that lets the page call, beside another one."""
    with LocalStack(
        log_file=tmp_path_factory.mktemp("log") / "local-stack.log",
        worker_settings={"MODEL_PATH": str(model_path)},
        parameters={"AllowedOrigins": f"https://console.example.com,{page.url}"},
        logins=True,
    ) as running:
        running.wait_until_ready()
        yield running


def test_a_page_of_another_origin_does_all_that_a_console_does(
    tools: dict[str, str], stack: LocalStack, page: EmptyPage
) -> None:
    task = {
        **tools,
        "page": page.url,
        "otherPage": page.url.replace(HOST, "localhost"),
        "api": stack.url,
        "token": stack.issuer.token("ann"),
        "video": base64.b64encode(TINY.read_bytes()).decode(),
    }
    done = subprocess.run(
        [tools["node"], str(JOURNEY)],
        input=json.dumps(task),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen == {
        "origin": page.url,
        # the page can read that it has to log in
        "withoutToken": 401,
        "submitted": 201,
        "uploaded": 204,
        "ended": "completed",
        "retryAfter": "2",
        "frames": [0, 1, 2],
        "again": 304,
        "file": 3,
        "part": [200, True],
        "completed": 200,
        "endedInParts": "completed",
        "deleted": 204,
        # the browser asked the API and the bucket first
        "preflights": sorted([stack.url, stack.aws.url]),
        # the same page under another name may neither call nor read
        "refused": ["TypeError", "TypeError"],
    }
