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
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.proofs.load.series import LoadPlan, growth
from tests.proofs.load.ways import BACKENDS, gateway_rows, in_process_rows
from tests.proofs.report import OUT, machine, print_row, save
from tests.support.dynalite import VERSION, DynaliteMissingError


def main() -> int:
    """Measure, print, write."""
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


if __name__ == "__main__":
    sys.exit(main())
