"""``python -m tools.local_stack``: run the stack until Ctrl-C or SIGTERM."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from tools.local_stack.console import built_console
from tools.local_stack.development_issuer import DevelopmentIssuer
from tools.local_stack.first_commands import first_commands
from tools.local_stack.model_choice import NoModelError, choose_model
from tools.local_stack.stack import LocalStack
from tools.local_stack.workers import Launcher, WorkerStartError, from_source
from tools.worker_image.engine import NoEngineError, find_engine
from tools.worker_image.order import NoImageError

LOG_FILE = Path("out/local-stack.log")
WEBHOOK_SETTINGS = ("WEBHOOK_NETWORKS", "SSL_CERT_FILE")
"""Passed on to the functions, so that a receiver on this machine can be called."""

_LOOK_FOR_SIGNALS_S = 0.2


def main() -> int:
    """Start, say where, wait, stop."""
    parser = argparse.ArgumentParser(prog="local_stack", description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--model", default="auto")
    parser.add_argument("--image", default="", help="image of the workers; without it, they run from source")
    parser.add_argument("--logins", action="store_true", help="ask for tokens, and start an issuer of them")
    parser.add_argument("--origins", default="", help="browser origins that may call, separated by commas")
    arguments = parser.parse_args()
    stopped = False

    def on_signal(_signum: int, _frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True

    signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)
    try:
        launcher, settings = _kind_of_workers(arguments.image, arguments.model)
        stack = LocalStack(
            log_file=LOG_FILE,
            port=arguments.port,
            workers=arguments.workers,
            launcher=launcher,
            worker_settings=settings,
            function_settings={name: os.environ[name] for name in WEBHOOK_SETTINGS if name in os.environ},
            parameters={"AllowedOrigins": arguments.origins} if arguments.origins else {},
            logins=arguments.logins,
            console=(console := built_console()),
        )
        with stack:
            stack.wait_until_ready()
            if arguments.logins:
                print(how_to_log_in(stack.issuer), flush=True)
            print(f"Ready: {stack.url}  (log: {LOG_FILE}; Ctrl-C stops everything)", flush=True)
            print(where_to_look(stack.url, is_built=console is not None), flush=True)
            issuer_url = stack.issuer.url if arguments.logins else None
            commands = first_commands(stack.url, issuer_url=issuer_url)
            print(f"To try it, in another terminal:\n{commands}", flush=True)
            while not stopped:  # a wait without an end would miss a signal that comes just before it
                time.sleep(_LOOK_FOR_SIGNALS_S)
            print("Stopping ...", flush=True)
    except (NoEngineError, NoImageError, NoModelError, WorkerStartError, OSError, SystemExit) as error:
        print(f"The local stack cannot start: {error}", file=sys.stderr)
        return 1
    return 0


def _kind_of_workers(image: str, model: str) -> tuple[Launcher, dict[str, str]]:
    """What starts workers, and their settings: an image has its own model, the source is given one."""
    if image:
        engine = find_engine()
        print(f"Worker: {image}, run with {engine.name}", flush=True)
        return engine.launcher(image), {}
    path, line = choose_model(model)
    print(line, flush=True)
    return from_source, {"MODEL_PATH": str(path)}


def how_to_log_in(issuer: DevelopmentIssuer) -> str:
    """Where tokens come from, and a command that gets one."""
    where = f"Issuer: {issuer.url}  (audience: {issuer.audience})"
    return f"{where}\nToken: curl -s -d sub=ann {issuer.token_url}"


def where_to_look(url: str, *, is_built: bool) -> str:
    """The console's address, or why there is none."""
    if is_built:
        return f"Console: {url}/"
    return "Console: not built; install Node.js 20.19 or newer with npm, and make local builds it"


if __name__ == "__main__":
    sys.exit(main())
