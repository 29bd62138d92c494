"""The client is proved on a running local stack, as the end-to-end tests have it."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import api, receiver, source_server, stack

__all__ = ["api", "receiver", "source_server", "stack"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A tracer would only slow the processes of the stack down."""
    for item in items:
        if "api" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.no_cover)
