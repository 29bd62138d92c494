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


def replace_section(page: str, name: str, text: str) -> str:
    """The page with another text under the heading ``name``, down to the next heading of its rank or above.

    Raises
    ------
    ValueError
        If the page has no such heading.
    """
    found = re.search(rf"^(#+) {re.escape(name)}$\n", page, re.MULTILINE)
    if found is None:
        raise ValueError(f"The page has no section {name!r}")
    following = re.search(rf"^#{{1,{len(found[1])}}} ", page[found.end() :], re.MULTILINE)
    rest = page[found.end() + following.start() :] if following else ""
    return f"{page[: found.end()]}\n{text.strip()}\n" + ("\n" + rest if rest else "")


def _line(cells: Iterable[object]) -> str:
    return "| " + " | ".join(str(cell).replace("|", r"\|") for cell in cells) + " |"
