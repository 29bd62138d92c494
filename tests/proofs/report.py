"""What the reports of load and bench have in common: the machine, the file, and the page made of it."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
OUT = Path("out")
Report = Mapping[str, Any]
Row = dict[str, Any]


def machine() -> dict[str, Any]:
    """The processor, its cores, and Python."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return {
        "cpu": next(models, platform.processor()),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def print_row(row: Row) -> Row:
    """Print the values of a row with their names; gives the row."""
    values = {key: f"{value:.3g}" if isinstance(value, float) else value for key, value in row.items()}
    print("  " + "  ".join(f"{key} {value}" for key, value in values.items()), flush=True)
    return row


def save(report: Report, name: str) -> Path:
    """Write a report into the folder ``out``."""
    path = OUT / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(_rows_by_line(report), encoding="utf-8")
    return path


def _rows_by_line(report: Report) -> str:
    """JSON that keeps each row of a list on a line of its own."""
    entries = (f"{json.dumps(name)}: {_lines(value)}" for name, value in report.items())
    return "{\n" + ",\n".join(entries) + "\n}\n"


def _lines(value: Any) -> str:
    if isinstance(value, list):
        return "[\n" + ",\n".join(map(json.dumps, value)) + "\n]"
    return json.dumps(value)


def write_page(name: str, page: str, render: Callable[[Report], str]) -> int:
    """Write a page of the documentation from the last report; gives the exit status."""
    path = OUT / f"{name}.json"
    if not path.is_file():
        print(f"There is no {path}: run make {name} first", file=sys.stderr)
        return 1
    text = render(json.loads(path.read_text(encoding="utf-8")))
    (ROOT / "docs" / page).write_text(text, encoding="utf-8")
    return 0
