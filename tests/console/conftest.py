"""The console in a real browser, against the local stack with the real worker."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from video_jobs_client import Client

from tools.local_stack.console import built_console
from tools.local_stack.stack import LocalStack

ROOT = Path(__file__).parents[2]
PACKAGES = ROOT / ".cache"
PLAYWRIGHT = PACKAGES / "playwright-core-1.65.1" / "node_modules" / "playwright-core"
AXE = PACKAGES / "axe-core-4.14.1" / "node_modules" / "axe-core" / "axe.min.js"
PICTURES = ROOT / "out" / "console"
TIMEOUT_S = 300

Drive = Callable[..., Any]


def required(found: Any, what: str) -> Any:
    """``found``; where it is missing, the test is skipped with the reason, and fails in CI."""
    if not found:
        reason = f"There is no {what}"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    return found


@pytest.fixture(scope="session")
def tools() -> dict[str, str]:
    """Where Node.js, its driver of browsers, a browser and the checks of its pages are."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    return {
        "node": required(shutil.which("node"), "Node.js, which drives the browser: install node and npm"),
        "playwright": str(required(PLAYWRIGHT.is_dir() and PLAYWRIGHT, "playwright-core: make console-test")),
        "axe": str(required(AXE.is_file() and AXE, "axe-core: make console-test installs it")),
        "chromium": required(found, "Chromium: apt-get install chromium"),
    }


@pytest.fixture(scope="session")
def console() -> Path:
    """The built console."""
    folder: Path = required(built_console(), "built console: make console-test builds it")
    return folder


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where screenshots are kept, to be looked at."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    return PICTURES


@pytest.fixture(scope="module")
def stack(console: Path, model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A local stack without logins, with one worker and the console."""
    with LocalStack(
        log_file=tmp_path_factory.mktemp("log") / "local-stack.log",
        worker_settings={"MODEL_PATH": str(model_path)},
        console=console,
    ) as running:
        running.wait_until_ready()
        yield running


@pytest.fixture(scope="module")
def client(stack: LocalStack) -> Iterator[Client]:
    with Client(stack.url) as opened:
        yield opened


@pytest.fixture
def drive(tools: dict[str, str]) -> Drive:
    """Run a script of steps in the browser; gives what it saw."""

    def run(script: str, **task: Any) -> Any:
        done = subprocess.run(
            [tools["node"], str(Path(__file__).with_name(script))],
            input=json.dumps({**tools, **task}, default=str),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run
