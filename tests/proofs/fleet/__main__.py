"""``python -m tests.proofs.fleet``: replay all scenarios, print the table, and write docs/fleet.md."""

from __future__ import annotations

import sys

from tests.proofs.fleet.page import PAGE, comparison, render, replay_all


def main() -> int:
    rows = replay_all()
    print(comparison(rows), end="")
    PAGE.write_text(render(rows), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
