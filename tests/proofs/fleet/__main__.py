"""``python -m tests.proofs.fleet``: compare, and write tools/fleet/checked.json for docs/scaling.md."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from tests.proofs.fleet.check import JOBS, WORKERS, compare
from tests.proofs.report import OUT, machine

CHECKED = Path(__file__).parents[3] / "tools" / "fleet" / "checked.json"


def main() -> int:
    """Both loads, one after the other."""
    OUT.mkdir(exist_ok=True)
    rows = [compare(workers, JOBS, OUT / "fleet-stack.log") for workers in WORKERS]
    for row in rows:
        print(row.workers, {name: f"{share:+.0%}" for name, share in row.differences().items()})
    report = {"machine": machine(), "rows": [asdict(row) for row in rows]}
    CHECKED.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
