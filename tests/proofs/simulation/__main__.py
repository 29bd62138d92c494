"""``python -m tests.proofs.simulation``: play schedules, print what happened; a single one step by step."""

from __future__ import annotations

import argparse
import sys

from tests.proofs.simulation.report import play


def main() -> int:
    parser = argparse.ArgumentParser(prog="simulation", description=__doc__)
    parser.add_argument("--schedules", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0, help="seed of the first schedule")
    arguments = parser.parse_args()
    seeds = range(arguments.seed, arguments.seed + arguments.schedules)
    report = play(seeds)
    if arguments.schedules == 1:
        print("\n".join(report.steps))
    print("\n".join(report.lines()))
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
