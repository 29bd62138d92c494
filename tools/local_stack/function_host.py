"""One Lambda execution environment: reads events as lines of JSON, answers with lines of JSON.

Run as ``python -m tools.local_stack.function_host HANDLER FUNCTION_NAME TIMEOUT_S``. What the handler
prints goes to standard error; the process ends when its input does.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from dataclasses import dataclass, field
from importlib import import_module
from uuid import uuid4


@dataclass(frozen=True, slots=True)
class LocalContext:
    """The context object that Lambda hands to a handler."""

    function_name: str
    timeout_s: int
    aws_request_id: str = field(default_factory=lambda: str(uuid4()))
    started_at: float = field(default_factory=time.monotonic)
    function_version: str = "$LATEST"
    memory_limit_in_mb: int = 512

    @property
    def invoked_function_arn(self) -> str:
        """An ARN of the usual form."""
        return f"arn:aws:lambda:us-east-1:123456789012:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """Time left, milliseconds."""
        return max(0, int((self.timeout_s - (time.monotonic() - self.started_at)) * 1000))


def main(handler_path: str, function_name: str, timeout_s: int) -> None:
    """Answer events until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    module_name, _, handler_name = handler_path.rpartition(".")
    handler = getattr(import_module(module_name), handler_name)
    answers.write("ready\n")
    answers.flush()
    for line in sys.stdin:
        try:
            answer = {"result": handler(json.loads(line), LocalContext(function_name, timeout_s))}
        except Exception as error:  # noqa: BLE001 - Lambda answers a function error for any
            traceback.print_exc()
            answer = {"error": type(error).__name__}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
