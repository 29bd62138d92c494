"""Sort more lines than fit in memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager

_CREATE = "CREATE TABLE line (first NUMERIC, second NUMERIC, text TEXT)"
_INSERT = "INSERT INTO line VALUES (?, ?, ?)"
_SELECT = "SELECT first, second, text FROM line ORDER BY first, second, rowid"


class SortedLines(AbstractContextManager["SortedLines"]):
    """Lines that are added in any order, and read by their keys; equal keys keep the order of adding.

    They are kept in a temporary file of SQLite, which is deleted at the end.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("")
        self._database.execute(_CREATE)

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def add(self, first: float, second: float, text: str) -> None:
        """Add a line with its two keys."""
        self._database.execute(_INSERT, (first, second, text))

    def __iter__(self) -> Iterator[tuple[float, float, str]]:
        yield from self._database.execute(_SELECT)
