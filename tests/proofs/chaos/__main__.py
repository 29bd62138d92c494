"""``python -m tests.proofs.chaos``: the kill test; ends with status 1 if a promise was broken."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from tests.proofs.chaos.kill_test import Load, run_kill_test
from tools.local_stack.model_choice import NoModelError, choose_model
from tools.local_stack.workers import WorkerStartError

LOG_FILE = Path("out/chaos.log")


def main() -> int:
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--jobs", type=int, help="200, or 12 long ones")
    parser.add_argument("--long", action="store_true", help="long videos, which several workers share")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", default="auto")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        model, line = choose_model(arguments.model)
        print(line, flush=True)
        load = Load.long(arguments.jobs or 12) if arguments.long else Load.short(arguments.jobs or 200)
        report = run_kill_test(load, arguments.workers, arguments.seed, model, LOG_FILE)
    except (NoModelError, WorkerStartError) as error:
        print(f"The kill test cannot start: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; nothing is left running.", file=sys.stderr)
        return 130
    print("\n".join(report.lines()))
    return 1 if report.broken else 0


if __name__ == "__main__":
    sys.exit(main())
