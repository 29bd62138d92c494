"""The proofs share the fixtures of the integration tests, and those that open a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.conftest import app, clock, resources, services
from tests.support.browser import EmptyPage, browser_tools

__all__ = ["app", "clock", "page", "resources", "services", "tools"]


@pytest.fixture(scope="module")
def tools() -> dict[str, str]:
    """What drives a browser."""
    return browser_tools()


@pytest.fixture(scope="module")
def page() -> Iterator[EmptyPage]:
    """An empty page of another origin than the API's."""
    with EmptyPage() as running:
        yield running
