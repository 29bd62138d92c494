"""Write Markdown: what the generated pages of docs/ are made with."""

from __future__ import annotations

import re
from collections.abc import Iterable


def table(headers: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A table and the end of its last line; a bar inside a cell is escaped."""
    names = list(headers)
    return "\n".join([_line(names), "|" + "---|" * len(names), *map(_line, rows)]) + "\n"


def code(value: object) -> str:
    """Something to be typed as it is written."""
    return f"`{value}`"


def anchor_of(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def _line(cells: Iterable[object]) -> str:
    return "| " + " | ".join(str(cell).replace("|", r"\|") for cell in cells) + " |"
