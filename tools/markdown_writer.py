"""Write Markdown: what the generated pages of docs/ are made with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator


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


def replace_section(page: str, name: str, text: str) -> str:
    """The page with another text under the heading ``name``, down to the next heading of its rank or above.

    Raises
    ------
    ValueError
        If the page has no such heading.
    """
    lines = page.splitlines(keepends=True)
    headings = list(_headings(lines))
    own = next((one for one in headings if one[2] == name), None)
    if own is None:
        raise ValueError(f"The page has no section {name!r}")
    first, rank, _ = own
    end = next((number for number, other, _ in headings if number > first and other <= rank), len(lines))
    rest = "".join(lines[end:])
    return "".join(lines[: first + 1]) + f"\n{text.strip()}\n" + ("\n" + rest if rest else "")


def _headings(lines: Iterable[str]) -> Iterator[tuple[int, int, str]]:
    """Number of the line, rank and title of each heading; a comment in a block of code is none."""
    is_code = False
    for number, line in enumerate(lines):
        is_code ^= line.startswith("```")
        found = re.match(r"(#+) +(.+?) *$", line)
        if found and not is_code:
            yield number, len(found[1]), found[2]


def _line(cells: Iterable[object]) -> str:
    return "| " + " | ".join(str(cell).replace("|", r"\|") for cell in cells) + " |"
