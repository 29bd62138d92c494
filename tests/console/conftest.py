"""The console in a real browser, against the local stack with the real worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from video_jobs_client import Client

from tests.console.played_job import PlayedJob, PlayedService
from tests.support.browser import browser_tools, required, run_in_browser
from tools.local_stack.console import built_console
from tools.local_stack.stack import LocalStack

ROOT = Path(__file__).parents[2]
AXE = ROOT / ".cache" / "axe-core-4.14.1" / "node_modules" / "axe-core" / "axe.min.js"
PICTURES = ROOT / "out" / "console"

Drive = Callable[..., Any]
Play = Callable[[PlayedJob], PlayedService]


@pytest.fixture(scope="session")
def tools() -> dict[str, str]:
    """What drives the browser and checks its pages."""
    axe = required(AXE.is_file() and AXE, "axe-core: make console-test installs it")
    return {**browser_tools(), "axe": str(axe)}


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
        return run_in_browser(Path(__file__).with_name(script), {**tools, **task})

    return run


@pytest.fixture
def play(console: Path) -> Iterator[Play]:
    """Start a service that plays a job."""
    services: list[PlayedService] = []

    def start(played: PlayedJob) -> PlayedService:
        services.append(PlayedService(console, played))
        return services[-1].__enter__()

    yield start
    for service in services:
        service.__exit__(None, None, None)
