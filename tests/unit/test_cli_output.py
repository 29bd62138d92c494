"""What the command line prints at 80 columns, compared with the transcripts in ``tests/fixtures/cli``.

``tests/support/command_scenes.py`` says how to write them again.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.support.command_scenes import COMMANDS, ERRORS, FOLDER, transcripts
from tests.unit.test_cli import commands

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


@pytest.fixture(scope="module")
def printed() -> dict[str, str]:
    return dict(transcripts())


def test_the_command_line_prints_what_the_transcripts_show(printed: dict[str, str]) -> None:
    kept = {str(path.relative_to(FOLDER)): path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.txt")}
    assert sorted(printed) == sorted(kept)
    for name, text in printed.items():
        assert text == kept[name], f"{name} changed: python -m tests.support.command_scenes writes it again"


def test_every_command_has_its_help_among_the_transcripts() -> None:
    assert list(COMMANDS) == commands()


def test_help_and_the_list_of_jobs_have_at_most_80_columns(printed: dict[str, str]) -> None:
    texts = [text for name, text in printed.items() if name.startswith("help/")]
    texts.append(printed["list.txt"].partition("| cat")[0].rpartition("$")[0])
    for line in "\n".join(texts).splitlines():
        assert cell_len(line) <= 80, line


def test_the_summary_of_a_command_stands_whole_in_the_list_of_commands(printed: dict[str, str]) -> None:
    assert "..." not in printed["help/video-jobs.txt"].partition("Commands:")[2]


def test_every_exit_code_of_an_error_is_documented() -> None:
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE.read_text(encoding="utf-8"), re.M)}
    assert {scene.code for scene in ERRORS} <= documented
