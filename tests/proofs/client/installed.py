"""The client as a user has it: a wheel in a virtual environment of its own, and a home that is empty."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pexpect

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "clients" / "python"
_OF_THIS_PYTHON = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")


def _run(*command: str | Path) -> None:
    """Run what prepares the environment, outside of the repository; pip's settings are those of the user."""
    environment = {name: value for name, value in os.environ.items() if name not in _OF_THIS_PYTHON}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd="/", check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def built_wheel(folder: Path) -> Path:
    """The wheel of ``clients/python``."""
    _run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, SOURCE)
    (wheel,) = folder.glob("*.whl")
    return wheel


@dataclass(frozen=True)
class Installed:
    """The package with the extra ``cli``, in a virtual environment that holds nothing else."""

    folder: Path

    @classmethod
    def made(cls, folder: Path) -> Installed:
        """Build the wheel and install it, with the versions that the client is tested with."""
        wheel = built_wheel(folder)
        _run(sys.executable, "-m", "venv", folder / "venv")
        installed = cls(folder)
        constraints = SOURCE / "requirements.txt"
        _run(installed.python, "-m", "pip", "install", "--quiet", "-c", constraints, f"{wheel}[cli]")
        return installed

    @property
    def python(self) -> Path:
        return self.program("python")

    def program(self, name: str) -> Path:
        return self.folder / "venv" / "bin" / name


@dataclass(frozen=True)
class User:
    """Somebody with an empty home, who has the installed client and nothing of the repository."""

    installed: Installed
    home: Path
    url: str = "http://127.0.0.1:1"

    @property
    def environment(self) -> Mapping[str, str]:
        path = f"{self.installed.folder / 'venv' / 'bin'}:/usr/local/bin:/usr/bin:/bin"
        settings = {"PATH": path, "HOME": str(self.home), "LANG": "C.UTF-8", "TERM": "xterm-256color"}
        return {**settings, "VIDEO_JOBS_URL": self.url}

    def run(
        self, program: str | Path, *arguments: str | Path, **settings: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a program in a pipe."""
        return subprocess.run(
            [program, *map(str, arguments)],
            cwd=self.home,
            env={**self.environment, **settings},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def video_jobs(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run the command line in a pipe."""
        return self.run(self.installed.program("video-jobs"), *arguments)

    def terminal(self, *arguments: str | Path) -> Any:
        """Run the command line on a terminal of 80 columns."""
        return pexpect.spawn(
            str(self.installed.program("video-jobs")),
            [str(one) for one in arguments],
            cwd=str(self.home),
            env=self.environment,
            dimensions=(24, 80),
            encoding="utf-8",
            timeout=60,
        )

    def least_seconds(self, command: Sequence[str | Path], *, tries: int) -> float:
        """How long a program takes in a process of its own, at best: other work only adds time."""
        return min(self._seconds(command) for _ in range(tries))

    def _seconds(self, command: Sequence[str | Path]) -> float:
        started = time.perf_counter()
        done = self.run(command[0], *command[1:])
        seconds = time.perf_counter() - started
        assert done.returncode == 0, done.stderr
        return seconds
