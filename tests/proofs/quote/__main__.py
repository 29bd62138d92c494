"""``python -m tests.proofs.quote PIPELINE``: print how good the quotes of a pipeline are here."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.proofs.quote.quoting import run_quotes, stack_of
from tests.proofs.report import machine


def main(pipeline_id: str = "yolo_only") -> int:
    with TemporaryDirectory() as made:
        folder = Path(made)
        with stack_of(folder, pipeline_id) as stack:
            stack.wait_until_ready()
            outcomes = run_quotes(stack, folder, pipeline_id)
    print(machine())
    for one in (*outcomes.alone, *outcomes.burst):
        print(
            f"{one.plan.frames:4} {dict(one.plan.options)!s:40} quoted {one.quoted_s:.2f} "
            f"seen {one.seen_s:.2f} "
            f"p50 {one.p50_s:.2f} p95 {one.p95_s:.2f} end {one.end_s:.2f}"
        )
    print("\n".join(outcomes.lines()))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
