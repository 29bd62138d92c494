"""``python -m tools.local_stack``: run the stack until Ctrl-C or SIGTERM."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from tools.local_stack.model_choice import NoModelError, choose_model
from tools.local_stack.stack import LocalStack
from tools.local_stack.workers import WorkerStartError

LOG_FILE = Path("out/local-stack.log")


def main() -> int:
    """Start, say where, wait, stop."""
    parser = argparse.ArgumentParser(prog="local_stack", description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--model", default="auto")
    arguments = parser.parse_args()
    stopped = threading.Event()

    def on_signal(_signum: int, _frame: FrameType | None) -> None:
        stopped.set()

    signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)
    try:
        model, line = choose_model(arguments.model)
        print(line, flush=True)
        stack = LocalStack(
            log_file=LOG_FILE,
            port=arguments.port,
            workers=arguments.workers,
            worker_settings={"MODEL_PATH": str(model)},
        )
        with stack:
            stack.wait_until_ready()
            print(f"Ready: {stack.url}  (log: {LOG_FILE}; Ctrl-C stops everything)", flush=True)
            stopped.wait()
            print("Stopping ...", flush=True)
    except (NoModelError, WorkerStartError, OSError, SystemExit) as error:
        print(f"The local stack cannot start: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
