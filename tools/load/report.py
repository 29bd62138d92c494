"""The report of a run: its rows as a table, and what it was measured on."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tools import dynalite
from tools.load.series import Row

HEAD = (
    f"{'where':<10}  {'backend':<8}  {'jobs':>7}  {'call':<29}  {'calls':>5}  {'a second':>8}  "
    f"{'p50 ms':>8}  {'p95 ms':>8}  {'p99 ms':>8}  {'requests':>8}  {'evaluated':>9}"
)


def line_of(row: Row) -> str:
    """One row of the table; what only the function in process can count is left out of the others."""
    times = "  ".join(f"{row[f'p{percent}_ms']:>8.1f}" for percent in (50, 95, 99))
    return (
        f"{row['where']:<10}  {row['backend']:<8}  {row['jobs']:>7}  {row['call']:<29}  {row['calls']:>5}  "
        f"{row['a_second']:>8.1f}  {times}  {row.get('requests', '-'):>8}  {row.get('evaluated', '-'):>9}"
    )


def machine() -> dict[str, Any]:
    """What this is measured on, and how busy that is with other things."""
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)  # noqa: S607 # nosec B607
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "load_average": os.getloadavg()[0],
        "memory_gib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
        "python": platform.python_version(),
        "moto": version("moto"),
        "dynalite": dynalite.VERSION,
        "node": node.stdout.strip().removeprefix("v"),
    }


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor())
