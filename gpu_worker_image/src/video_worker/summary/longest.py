"""Keep what was longest in view."""

from __future__ import annotations

from heapq import heappush, heappushpop
from typing import Generic, TypeVar

Entry = TypeVar("Entry")


class Longest(Generic[Entry]):
    """Holds at most ``limit`` entries; ``left_out`` counts the others."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._heap: list[tuple[int, int, Entry]] = []
        self._orders = 0
        self.left_out = 0

    def add(self, in_view_us: int, entry: Entry) -> None:
        """Take an entry; of two that were equally long in view, the earlier one stays."""
        self._orders += 1
        item = (in_view_us, -self._orders, entry)
        if len(self._heap) < self._limit:
            heappush(self._heap, item)
        else:
            heappushpop(self._heap, item)
            self.left_out += 1

    def entries(self) -> list[Entry]:
        """All entries, in no particular order."""
        return [entry for _, _, entry in self._heap]
