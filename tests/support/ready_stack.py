"""A local stack that is ready, for a fixture to yield from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tools.local_stack.stack import LocalStack


def ready_stack(folders: pytest.TempPathFactory, **options: Any) -> Iterator[LocalStack]:
    """Start a `LocalStack` with a log in a folder of its own; gives it once, and stops it afterwards."""
    with LocalStack(log_file=folders.mktemp("log") / "local-stack.log", **options) as running:
        running.wait_until_ready()
        yield running
