"""``python -m tools.fleet``: play everything, and write docs/scaling.md and its charts."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tools.fleet.page import page, write
from tools.fleet.scenarios import play_all

_RESULTS = Path("out/fleet.json")


def main() -> int:
    """The results are kept in ``out``; ``--page`` writes the page from those of the last run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", action="store_true", help="do not play; use the results of the last run")
    if not parser.parse_args().page:
        results = play_all(lambda word: print(word, file=sys.stderr, flush=True))
        _RESULTS.parent.mkdir(exist_ok=True)
        _RESULTS.write_text(json.dumps(results, indent=1), encoding="utf-8")
    results = json.loads(_RESULTS.read_text(encoding="utf-8"))
    write(results)
    print(page(results), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
