"""What drives a browser, and the page that it opens."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from tools.local_stack.loopback_server import HOST, LoopbackServer

VERSION = "1.65.1"
ROOT = Path(__file__).parents[2]
PLAYWRIGHT = ROOT / ".cache" / f"playwright-core-{VERSION}" / "node_modules" / "playwright-core"
TIMEOUT_S = 300


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


def browser_tools() -> dict[str, str]:
    """Where Node.js, its driver of browsers, and a browser are."""
    node = required(shutil.which("node"), "Node.js, which drives the browser: install node and npm")
    needed = f"playwright-core {VERSION}: make proofs installs it with npm"
    required(PLAYWRIGHT.is_dir(), needed)
    found = shutil.which("chromium") or shutil.which("google-chrome")
    browser = required(found, "Chromium: apt-get install chromium")
    return {"node": node, "playwright": str(PLAYWRIGHT), "chromium": browser}


def run_in_browser(journey: Path, task: Mapping[str, Any]) -> Any:
    """What a script for Node.js tells that drives the browser; ``task`` names the tools, too."""
    done = subprocess.run(
        [task["node"], str(journey)],
        input=json.dumps(task, default=str),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
