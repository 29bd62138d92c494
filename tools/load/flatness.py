"""What a call asks of the table does not grow with the table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from tools.load.series import Row


def growth(rows: Sequence[Row]) -> list[str]:
    """A sentence for each call that needs more of a larger table; none: the service stays as fast."""
    counted = sorted(
        (row for row in rows if "requests" in row), key=lambda row: (row["backend"], row["call"], row["jobs"])
    )
    return [
        sentence
        for _, group in groupby(counted, key=lambda row: (row["backend"], row["call"]))
        for sentence in _growth_of(list(group))
    ]


def _growth_of(rows: list[Row]) -> Iterator[str]:
    what = f"{rows[0]['call']} on {rows[0]['backend']}"
    if len({row["operations"] for row in rows}) > 1:
        yield f"{what}: the requests differ: {_by_size(rows, 'operations')}"
    if any(row["evaluated"] > row["reads_at_most"] for row in rows):
        yield f"{what}: looks at more than {rows[0]['reads_at_most']} items: {_by_size(rows, 'evaluated')}"
    # A table with less than two pages may have less to look at.
    full = [row for row in rows if row["jobs"] >= 2 * row["reads_at_most"]]
    if len({row["evaluated"] for row in full}) > 1:
        yield f"{what}: the items looked at differ: {_by_size(full, 'evaluated')}"


def _by_size(rows: list[Row], key: str) -> str:
    return "; ".join(f"{row['jobs']:,} jobs: {row[key]}" for row in rows)
