"""``python -m tools.local_stack``: run the stack until Ctrl-C or SIGTERM."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from tools.local_stack.development_issuer import DevelopmentIssuer
from tools.local_stack.model_choice import NoModelError, choose_model
from tools.local_stack.stack import LocalStack
from tools.local_stack.workers import WorkerStartError

LOG_FILE = Path("out/local-stack.log")
WEBHOOK_SETTINGS = ("WEBHOOK_NETWORKS", "SSL_CERT_FILE")
"""Passed on to the functions, so that a receiver on this machine can be called."""


def main() -> int:
    """Start, say where, wait, stop."""
    parser = argparse.ArgumentParser(prog="local_stack", description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--model", default="auto")
    parser.add_argument("--logins", action="store_true", help="ask for tokens, and start an issuer of them")
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
            function_settings={name: os.environ[name] for name in WEBHOOK_SETTINGS if name in os.environ},
            logins=arguments.logins,
        )
        with stack:
            stack.wait_until_ready()
            if arguments.logins:
                print(how_to_log_in(stack.issuer), flush=True)
            print(f"Ready: {stack.url}  (log: {LOG_FILE}; Ctrl-C stops everything)", flush=True)
            stopped.wait()
            print("Stopping ...", flush=True)
    except (NoModelError, WorkerStartError, OSError, SystemExit) as error:
        print(f"The local stack cannot start: {error}", file=sys.stderr)
        return 1
    return 0


def how_to_log_in(issuer: DevelopmentIssuer) -> str:
    """Where tokens come from, and a command that gets one."""
    where = f"Issuer: {issuer.url}  (audience: {issuer.audience})"
    return f"{where}\nToken: curl -s -d sub=ann {issuer.token_url}"


if __name__ == "__main__":
    sys.exit(main())
