"""What a call asks of the table does not grow with the table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.proofs.report import Row


def growth(rows: Sequence[Row]) -> list[str]:
    """A sentence for each call that needs more of a larger table; none if the service stays as fast."""
    counted: dict[tuple[str, str], list[Row]] = {}
    for row in sorted((row for row in rows if "requests" in row), key=lambda row: row["jobs"]):
        counted.setdefault((row["backend"], row["call"]), []).append(row)
    return [sentence for key in sorted(counted) for sentence in _growth_of(counted[key])]


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
