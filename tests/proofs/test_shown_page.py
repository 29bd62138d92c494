"""The lines of the README for a page in a browser run, unchanged, in a page of another origin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.support.browser import EmptyPage, run_in_browser
from tests.support.pages import Page
from tests.support.ready_stack import ready_stack
from tools.local_stack.stack import LocalStack

README = Path(__file__).parents[2] / "README.md"
JOURNEY = Path(__file__).with_name("shown_page.js")
ADDRESS = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def stack(
    tools: dict[str, str], page: EmptyPage, model_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalStack]:
    """A local stack as ``make local ORIGINS=`` starts it for the page."""
    yield from ready_stack(
        tmp_path_factory,
        worker_settings={"MODEL_PATH": str(model_path)},
        parameters={"AllowedOrigins": page.url},
    )


def test_the_page_of_the_readme_gets_the_results_of_the_file_that_a_user_chooses(
    tools: dict[str, str], stack: LocalStack, page: EmptyPage
) -> None:
    (shown,) = (block.content for block in Page(README).blocks() if block.language == "js")
    assert shown.count(ADDRESS) == 1
    task = {**tools, "page": page.url, "video": str(TINY), "shown": shown.replace(ADDRESS, stack.url)}
    found = run_in_browser(JOURNEY, task)
    assert found["origin"] == page.url != stack.url
    assert any("HARBOUR" in frame["result"]["text"] for frame in found["results"])
