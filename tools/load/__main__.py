"""``python -m tools.load``: load on the API; prints a table, writes out/load.json, 1 where a call grows."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any

from tools.dynalite import DynaliteMissingError
from tools.load.flatness import growth
from tools.load.in_process import BACKENDS, in_process_rows
from tools.load.report import HEAD, line_of, machine
from tools.load.series import LoadPlan, Row
from tools.load.through_gateway import gateway_rows

REPORT = Path("out") / "load.json"
LOG_FILE = Path("out") / "load-stack.log"


def main() -> int:
    """Measure, print, write."""
    defaults = LoadPlan()
    parser = argparse.ArgumentParser(prog="load", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=defaults.sizes, help="jobs in the table")
    parser.add_argument("--calls", type=int, default=defaults.most_calls, help="of each series, at most")
    parser.add_argument("--seconds", type=float, default=defaults.most_s, help="of each series, at most")
    parser.add_argument("--clients", type=int, default=defaults.clients, help="at the gateway at a time")
    given = parser.parse_args()
    plan = LoadPlan(
        sizes=tuple(sorted(given.sizes)), most_calls=given.calls, most_s=given.seconds, clients=given.clients
    )
    signal.signal(signal.SIGTERM, _as_interrupt)
    try:
        report = measure(plan, LOG_FILE)
    except DynaliteMissingError as error:
        print(f"The load cannot start: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; nothing is left running.", file=sys.stderr)
        return 130
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=1), encoding="utf-8")
    print("\n".join(["", *(report["growth"] or ["No call asks more of a larger table."])]))
    print(f"{report['took_s']:.0f} s; report: {REPORT}")
    return 1 if report["growth"] else 0


def measure(plan: LoadPlan, log_file: Path) -> dict[str, Any]:
    """The report; each row is printed as soon as it is there."""
    report = {"machine": machine(), "plan": asdict(plan)}
    started = time.perf_counter()
    print(HEAD, flush=True)
    rows = []
    for row in _rows(plan, log_file):
        rows.append(row)
        print(line_of(row), flush=True)
    return report | {"rows": rows, "growth": growth(rows), "took_s": time.perf_counter() - started}


def _rows(plan: LoadPlan, log_file: Path) -> Iterator[Row]:
    for backend in BACKENDS:
        yield from in_process_rows(backend, plan)
    for backend in plan.gateway:
        yield from gateway_rows(backend, plan, log_file)


def _as_interrupt(_signum: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
