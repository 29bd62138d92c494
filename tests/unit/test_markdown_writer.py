"""The tables of the generated pages."""

from __future__ import annotations

from tools.markdown_writer import table


def test_a_bar_in_a_cell_is_escaped() -> None:
    assert table(["a", "b"], [["x|y", 1]]) == "| a | b |\n|---|---|\n| x\\|y | 1 |\n"
