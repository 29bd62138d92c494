"""``make test``: all tests in two processes side by side, and the coverage of both.

The integration tests stay together: they compare what all of them recorded.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

HALVES = {
    "integration": ["tests/integration"],
    "rest": ["tests/unit", "tests/contract", "tests/e2e"],
}
LOG = Path(".cache/tests-rest.log")
COVERAGE_FLOOR = 85


def main() -> int:
    """The integration tests show their progress; the output of the rest follows them."""
    LOG.parent.mkdir(exist_ok=True)
    for old in Path().glob(".coverage*"):
        old.unlink()
    with LOG.open("wb") as log:
        rest = _start("rest", log.fileno())
        shown = _start("integration", None)
        codes = [_ended(shown), _ended(rest)]
    print(LOG.read_text(encoding="utf-8", errors="replace"))
    codes += [_coverage("combine", "--quiet"), _coverage("report", f"--fail-under={COVERAGE_FLOOR}")]
    return max(codes)


def _start(half: str, output: int | None) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pytest", "--cov", "--cov-report=", *HALVES[half]]
    environment = os.environ | {"COVERAGE_FILE": f".coverage.{half}"}
    return subprocess.Popen(command, env=environment, stdout=output, stderr=output)


def _ended(process: subprocess.Popen[bytes]) -> int:
    """The exit code; Ctrl-C reaches the tests as well, which then stop what they started."""
    while True:
        try:
            return abs(process.wait())
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)


def _coverage(*arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", "coverage", *arguments], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
