"""Tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from video_jobs_client.cli.text import shortened

if TYPE_CHECKING:
    from rich.table import Table

_STYLES = {"completed": "green", "failed": "red", "running": "cyan", "pending": "yellow"}
_WHOLE = frozenset({"job", "status", "submitted"})
_RIGHT = frozenset({"frames", "jobs", "confidence", "most at once", "start", "end", "in view", "objects"})
_GAP = 2
_LEAST = 8
"""What a shortened name keeps, however narrow the terminal is."""


def drawn(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int | None = None) -> Table:
    """A table for Rich; with ``width``, a dense one in which the last column takes what the others leave."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    is_dense = width is not None
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=not is_dense,
        padding=(0, _GAP - 1, 0, 0) if is_dense else (0, 1),
    )
    for name in columns:
        is_last = is_dense and name == columns[-1]
        table.add_column(
            Text(name),
            justify="right" if name in _RIGHT else "left",
            overflow="ellipsis" if is_last else "fold",
            no_wrap=is_last or name in _WHOLE,
        )
    if width is not None:
        taken = _taken(columns, rows)
        room = max(width - taken, _LEAST)
        if taken + room > width:
            table.width = taken + room  # an id must not be cut: the terminal wraps the lines
        rows = [(*row[:-1], _fitted(row[-1], room)) for row in rows]
    for row in rows:
        table.add_row(*(Text(value, style=_style(value)) for value in row))
    return table


def _style(value: str) -> str:
    return _STYLES.get(value.partition(" ")[0], "")


def _taken(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """How many cells of the terminal all columns but the last take."""
    return sum(
        max(map(len, (name, *cells))) + _GAP for name, *cells in zip(columns[:-1], *rows, strict=False)
    )


def _fitted(text: str, room: int) -> str:
    """The text in so many cells; Chinese, Japanese and Korean characters take two."""
    from rich.cells import cell_len

    shorter = (shortened(text, most) for most in range(room, 1, -1))
    return next(one for one in shorter if cell_len(one) <= room)
