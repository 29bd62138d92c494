"""``python -m video_worker.health``: whether the worker of this container still works.

The worker touches a file in its temporary folder each time round its loop, and with each heartbeat of a job.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from video_jobs.domain.errors import SettingError
from video_jobs.settings import WorkerSettings

LONGEST_SILENCE_S = 600
"""Longer than the models may take to load, which is the longest time that the loop may stand still."""


class Pulse:
    """The file whose age tells how long the worker has been silent."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._file = Path(settings.work_dir or tempfile.gettempdir()) / "video-worker-pulse"

    def beat(self) -> None:
        """Say that the worker works."""
        self._file.touch()

    def silence_s(self, now_s: float) -> float:
        """How long ago the last beat was; infinite if there was none."""
        try:
            return now_s - self._file.stat().st_mtime
        except FileNotFoundError:
            return float("inf")


def main() -> int:
    """0 if the worker works, otherwise 1 and the reason."""
    try:
        silence_s = Pulse(WorkerSettings.from_environment()).silence_s(time.time())
    except SettingError as error:
        print(error.message)  # noqa: T201 - the container engine keeps it with the state of health
        return 1
    print(f"last sign of life: {silence_s:.0f} s ago")  # noqa: T201
    return 0 if silence_s <= LONGEST_SILENCE_S else 1


if __name__ == "__main__":
    sys.exit(main())
