"""``python -m tools.load.document``: write docs/load.md from the last report, out/load.json."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tools.load import in_process, through_gateway
from tools.load.__main__ import REPORT
from tools.load.population import FAILED_EVERY
from tools.load.series import Row

DOCUMENT = Path(__file__).parents[2] / "docs" / "load.md"

_HEAD = """# Load

Measured with `make load` in one run of {minutes:.0f} minutes, and written from its report by
`python -m tools.load.document`. Everything stays on this machine; a series is bounded in calls and seconds.

Machine: {cpu}, {cores} cores, {memory_gib:.0f} GiB, Python {python}; its load average before the run was
{load_average:.1f}, where 0 is a machine with nothing else to do. The table is kept by moto {moto}, and by
dynalite {dynalite} (Node.js {node}), an independent DynamoDB on LevelDB. It holds so many ended jobs of one
owner, who lists them {page} at a time; one in {failed_every} failed. Each series is of at most
{most_calls} calls or {most_s:g} seconds, but of {least_calls} at least.

moto answers a query by walking, sorting and filtering its whole table, so its times for lists grow with the
table, and at the largest there are few calls. What AWS takes time and money for is what a call asks of the
table, and that does not grow. Dynalite has indexes, so there the times can be compared as well, once a page
is full: a table of 10 jobs has less to give.

## What a call asks of the table

Counted at every call, from the answers' `ScannedCount`; a run in which one of these grows ends with status 1.
"""
_LISTS = """A page without a filter looks at as many jobs as it gives. With a filter a page looks at no more
than the last column says, however few of them pass, and the client goes on from its cursor. *From the
middle* begins behind half of the jobs.
"""
_IN_PROCESS = """## The function

`functions.video_api.app.lambda_handler` called in one process, one call after another, on events like those
in [events/](../events). moto runs in the same process, so its own work is in the time. The tables of all
sizes stand side by side, dynalite's each in a process of its own, and are asked in turns.
"""
_GATEWAY = """## Over HTTP

The local stack (`tools/local_stack`) without workers, asked by {clients} clients at the same time. Each
function has one execution environment, which takes one event at a time, so the times hold the waiting for
each other. In the columns of dynalite the functions keep the jobs there, and the rest stays in moto. Here the
sizes come one after another, so whatever else the machine does shows in single rows.
"""
_FOOT = """## Again

```sh
make load                                                        # out/load.json, this table on the terminal
python -m tools.load --sizes 10 1000 --calls 50 --seconds 2      # a short one
python -m tools.load.document                                    # this page
```
"""


def load_document(report: dict[str, Any]) -> str:
    """The page for one report of `tools.load`."""
    return "\n".join(_sections(report))


def _sections(report: dict[str, Any]) -> Iterator[str]:
    plan, rows = report["plan"], report["rows"]
    minutes = report["took_s"] / 60
    yield _HEAD.format(**report["machine"], **plan, minutes=minutes, failed_every=FAILED_EVERY)
    function = [row for row in rows if row["where"] == in_process.WHERE]
    yield _asked(function)
    yield _LISTS
    yield _IN_PROCESS
    yield _times(function)
    yield _GATEWAY.format(**plan)
    yield _times([row for row in rows if row["where"] == through_gateway.WHERE])
    yield _FOOT


def _asked(rows: list[Row]) -> str:
    sizes = _distinct(row["jobs"] for row in rows)
    head = " | ".join(["call", "requests", *(f"items, of {size:,}" for size in sizes), "at most"])
    return _table(head, (_asked_by(call, rows, sizes) for call in _distinct(row["call"] for row in rows)))


def _asked_by(call: str, rows: list[Row], sizes: list[int]) -> str:
    own = [row for row in rows if row["call"] == call]
    items = (_agreed(row["evaluated"] for row in own if row["jobs"] == size) for size in sizes)
    requests = _agreed(f"{row['requests']} ({row['operations']})" for row in own)
    return " | ".join([call, requests, *items, _agreed(row["reads_at_most"] for row in own)])


def _agreed(values: Iterable[Any]) -> str:
    """One value where all rows have it, otherwise every one."""
    return " / ".join(str(value) for value in _distinct(values))


def _times(rows: list[Row]) -> str:
    head = ["call", "jobs"]
    for backend in _distinct(row["backend"] for row in rows):
        head += [f"{backend}: calls", "a second", "p50 / p95 / p99 ms"]
    by_call: dict[tuple[str, int], list[str]] = {}
    for row in rows:
        by_call.setdefault((row["call"], row["jobs"]), []).extend(_figures(row))
    calls = _distinct(row["call"] for row in rows)
    ordered = sorted(by_call, key=lambda key: (calls.index(key[0]), key[1]))
    lines = (" | ".join([key[0], f"{key[1]:,}", *by_call[key]]) for key in ordered)
    return _table(" | ".join(head), lines)


def _figures(row: Row) -> list[str]:
    times = " / ".join(f"{row[f'p{percent}_ms']:,.0f}" for percent in (50, 95, 99))
    return [str(row["calls"]), f"{row['a_second']:.1f}", times]


def _distinct(values: Iterable[Any]) -> list[Any]:
    return list(dict.fromkeys(values))


def _table(head: str, rows: Iterator[str]) -> str:
    rule = "|".join("---" for _ in head.split("|"))
    return "".join(f"{line}\n" for line in (f"| {head} |", f"|{rule}|", *(f"| {row} |" for row in rows)))


def main() -> int:
    """Write the page."""
    if not REPORT.is_file():
        print(f"There is no {REPORT}: run make load first", file=sys.stderr)
        return 1
    report = json.loads(REPORT.read_text(encoding="utf-8"))
    DOCUMENT.write_text(load_document(report), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
