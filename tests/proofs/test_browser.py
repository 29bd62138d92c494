"""A browser whose page has another origin logs in, submits, uploads, polls and reads results."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.support.browser import EmptyPage, run_in_browser
from tests.support.ready_stack import ready_stack
from tools.local_stack.loopback_server import HOST
from tools.local_stack.stack import LocalStack

JOURNEY = Path(__file__).with_name("browser_journey.js")


@pytest.fixture(scope="module")
def stack(
    tools: dict[str, str], page: EmptyPage, model_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalStack]:
    """A local stack with logins that lets the page call, beside another one."""
    yield from ready_stack(
        tmp_path_factory,
        worker_settings={"MODEL_PATH": str(model_path)},
        parameters={"AllowedOrigins": f"https://console.example.com,{page.url}"},
        logins=True,
    )


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
    assert run_in_browser(JOURNEY, task) == {
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
