"""Pages keep what stands around a section that is written anew."""

from __future__ import annotations

import pytest

from tools.markdown_writer import replace_section, table

PAGE = "# Title\n\nIntro.\n\n## Times\n\n```sh\n# Old.\n```\n\n### Detail\n\nOld.\n\n## After\n\nKept.\n"


def test_a_section_is_replaced_down_to_the_next_heading_of_its_rank() -> None:
    assert (
        replace_section(PAGE, "Times", "New.\n")
        == "# Title\n\nIntro.\n\n## Times\n\nNew.\n\n## After\n\nKept.\n"
    )
    assert replace_section(PAGE, "Detail", "New.").count("Old.") == 1
    assert replace_section(PAGE, "After", "New.").endswith("## After\n\nNew.\n")
    assert replace_section(PAGE, "Title", "New.") == "# Title\n\nNew.\n"


def test_a_section_that_is_missing_is_an_error() -> None:
    with pytest.raises(ValueError, match="no section 'Time'"):
        replace_section(PAGE, "Time", "New.")


def test_a_bar_in_a_cell_is_escaped() -> None:
    assert table(["a", "b"], [["x|y", 1]]) == "| a | b |\n|---|---|\n| x\\|y | 1 |\n"
