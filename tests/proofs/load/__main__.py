"""``python -m tests.proofs.load``: load on the API.

Prints a row for each series, writes out/load.json, and ends with status 1 if a call asks more of a larger
table.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

from tests.proofs.load.measures import BACKENDS, LoadPlan, gateway_rows, in_process_rows
from tests.proofs.report import OUT, Row, machine, print_row, save
from tests.support.dynalite import VERSION, DynaliteMissingError


def main() -> int:
    usual = LoadPlan()
    parser = argparse.ArgumentParser(prog="load", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=usual.sizes, help="jobs in the table")
    parser.add_argument("--calls", type=int, default=usual.most_calls, help="of each series, at most")
    parser.add_argument("--seconds", type=float, default=usual.most_s, help="of each series, at most")
    parser.add_argument("--clients", type=int, default=usual.clients, help="at the gateway at a time")
    given = parser.parse_args()
    sizes = tuple(sorted(given.sizes))
    plan = LoadPlan(sizes=sizes, most_calls=given.calls, most_s=given.seconds, clients=given.clients)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        report = measure(plan, OUT / "load-stack.log")
    except DynaliteMissingError as error:
        print(f"The load cannot start: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; nothing is left running.", file=sys.stderr)
        return 130
    path = save(report, "load")
    print("\n".join(["", *(report["growth"] or ["No call asks more of a larger table."])]))
    print(f"{report['took_s']:.0f} s; report: {path}")
    return 1 if report["growth"] else 0


def measure(plan: LoadPlan, log_file: Path) -> dict[str, Any]:
    """The report; each row is printed as soon as it is there."""
    report = {"machine": {**machine(), **_surroundings()}, "plan": asdict(plan)}
    started = time.perf_counter()
    ways = [in_process_rows(backend, plan) for backend in BACKENDS]
    ways += [gateway_rows(backend, plan, log_file) for backend in plan.gateway]
    rows = [print_row(row) for way in ways for row in way]
    return report | {"rows": rows, "growth": growth(rows), "took_s": time.perf_counter() - started}


def _surroundings() -> dict[str, Any]:
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    return {
        "load_average": os.getloadavg()[0],
        "memory_gib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
        "moto": version("moto"),
        "dynalite": VERSION,
        "node": node.stdout.strip().removeprefix("v"),
    }


def growth(rows: Sequence[Row]) -> list[str]:
    """A sentence for each call that needs more of a larger table; none if the service stays as fast."""
    counted = sorted((row for row in rows if "requests" in row), key=lambda row: (*_series(row), row["jobs"]))
    return [sentence for _, own in groupby(counted, _series) for sentence in _growth_of(list(own))]


def _series(row: Row) -> tuple[str, str]:
    return row["backend"], row["call"]


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


if __name__ == "__main__":
    sys.exit(main())
