"""The files by which the console's exports are tested are those that the Python package writes today."""

from __future__ import annotations

from tests.support.console_exports import FOLDER, files


def test_the_files_are_current() -> None:
    stored = {path.name: path.read_bytes() for path in FOLDER.iterdir()}
    assert stored == files(), "run python -m tests.support.console_exports"
