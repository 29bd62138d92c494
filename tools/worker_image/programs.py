"""Run other programs."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence


def run(command: Sequence[str]) -> None:
    """Run a program whose output the user sees.

    Raises
    ------
    subprocess.CalledProcessError
        If it fails.
    """
    subprocess.run(command, check=True)


def output_of(command: Sequence[str]) -> str | None:
    """What a program prints, or None if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None
