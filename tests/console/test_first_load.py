"""The first page is small."""

from __future__ import annotations

import gzip
from pathlib import Path

from tests.console.conftest import Drive
from tools.local_stack.stack import LocalStack

MOST_BYTES = 200_000
LONGEST_TASK_MS = 1000


def test_all_scripts_together_are_small(console: Path) -> None:
    scripts = list((console / "assets").glob("*.js"))
    assert scripts
    assert sum(len(gzip.compress(script.read_bytes())) for script in scripts) < MOST_BYTES


def test_the_first_page_can_be_used(drive: Drive, stack: LocalStack) -> None:
    seen = drive("first_load.js", url=stack.url)
    assert seen["usable"] >= seen["painted"] > 0
    assert max(seen["longTasks"], default=0) < LONGEST_TASK_MS
