"""``python -m tests.proofs.load.page``: write docs/load.md from the last report, out/load.json."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from tests.proofs.load.measures import GATEWAY, IN_PROCESS
from tests.proofs.load.tables import FAILED_EVERY
from tests.proofs.report import Report, Row, write_page
from tools.markdown_writer import table

_HEAD = """# Load

Measured with `make load` in one run of {minutes:.0f} minutes, and written from its report by
`python -m tests.proofs.load.page`. Everything stays on this machine; each series has a limit of calls and
seconds.

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
_FUNCTION = """## The function

`functions.video_api.app.lambda_handler` called in one process, one call after another, on events like those
in [events/](../events). moto runs in the same process, so its own work is in the time. The tables of all
sizes stand side by side, dynalite's each in a process of its own, and are asked in turns.

A submit is a transaction. Dynalite has none, and moto copies the whole table for each, so its times grow
here; over HTTP, the local stack has another way of making them.
"""
_OVER_HTTP = """## Over HTTP

The local stack (`tools/local_stack`) without workers, asked by {clients} clients at the same time. Each
function has one execution environment, which takes one event at a time, so the times hold the waiting for
each other. In the columns of dynalite the functions keep the jobs there, and the rest stays in moto. Here the
sizes come one after another, so whatever else the machine does shows in single rows.
"""
_FOOT = """## Again

```sh
make load                                                            # out/load.json, its rows on the terminal
python -m tests.proofs.load --sizes 10 1000 --calls 50 --seconds 2   # a short one
python -m tests.proofs.load.page                                     # this page
```
"""


def load_page(report: Report) -> str:
    """The page for one report of `tests.proofs.load`."""
    plan, rows = report["plan"], report["rows"]
    function, over_gateway = ([row for row in rows if row["where"] == way] for way in (IN_PROCESS, GATEWAY))
    head = _HEAD.format(**report["machine"], **plan, minutes=report["took_s"] / 60, failed_every=FAILED_EVERY)
    over_http = [_OVER_HTTP.format(**plan), _times(over_gateway)]
    return "\n".join([head, _asked(function), _LISTS, _FUNCTION, _times(function), *over_http, _FOOT])


def _asked(rows: list[Row]) -> str:
    sizes = _distinct(row["jobs"] for row in rows)
    head = ["call", "requests", *(f"items, of {size:,}" for size in sizes), "at most"]
    return table(head, (_asked_by(call, rows, sizes) for call in _distinct(row["call"] for row in rows)))


def _asked_by(call: str, rows: list[Row], sizes: list[int]) -> Iterator[str]:
    own = [row for row in rows if row["call"] == call]
    yield call
    yield _agreed(f"{row['requests']} ({row['operations']})" for row in own)
    yield from (_agreed(row["evaluated"] for row in own if row["jobs"] == size) for size in sizes)
    yield _agreed(row["reads_at_most"] for row in own)


def _agreed(values: Iterable[Any]) -> str:
    """One value if all rows have it, otherwise each of them."""
    return " / ".join(str(value) for value in _distinct(values))


def _times(rows: list[Row]) -> str:
    head = ["call", "jobs"]
    for backend in _distinct(row["backend"] for row in rows):
        head += [f"{backend}: calls", "a second", "p50 / p95 / p99 ms"]
    sizes = _distinct(row["jobs"] for row in rows)
    lines: dict[tuple[str, int], list[str]] = {
        (call, jobs): [call, f"{jobs:,}"] for call in _distinct(row["call"] for row in rows) for jobs in sizes
    }
    for row in rows:
        times = " / ".join(f"{row[f'p{percent}_ms']:,.0f}" for percent in (50, 95, 99))
        lines[row["call"], row["jobs"]] += [str(row["calls"]), f"{row['a_second']:.1f}", times]
    return table(head, (line + ["-"] * (len(head) - len(line)) for line in lines.values()))


def _distinct(values: Iterable[Any]) -> list[Any]:
    return list(dict.fromkeys(values))


if __name__ == "__main__":
    sys.exit(write_page("load", "load.md", load_page))
