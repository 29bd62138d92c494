"""Break the product on purpose, one rule at a time, and see whether the tests notice.

``python -m tests.mutations [WORD]`` copies the repository to a temporary folder. For each entry of
``mutations.toml`` (or those whose name holds WORD) it replaces the old text by the new one in the file, runs
the tests there, and puts the file back. It ends with 1 if a mutation survives or no longer fits the code.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
LIST = Path(__file__).with_suffix(".toml")
SOURCES = ("layers/common/python", "gpu_worker_image/src", "clients/python/src", ".")


class Mutation(NamedTuple):
    """A text of a file, what takes its place, and the tests that must notice."""

    name: str
    file: str
    tests: str
    old: str
    new: str


def main(words: list[str]) -> int:
    """Try the mutations, print what became of each, then the score."""
    chosen = [mutation for mutation in _listed() if all(word in mutation.name for word in words)]
    with TemporaryDirectory(prefix="mutations-") as folder:
        copy = _copy_of_the_repository(Path(folder))
        outcomes = {mutation.name: _outcome(mutation, copy) for mutation in chosen}
    for name, outcome in outcomes.items():
        print(f"{outcome:<9} {name}")
    killed = list(outcomes.values()).count("killed")
    print(f"{killed} of {len(outcomes)} mutations were noticed")
    return 0 if killed == len(outcomes) else 1


def _listed() -> Iterator[Mutation]:
    for file, groups in tomllib.loads(LIST.read_text(encoding="utf-8")).items():
        for tests, entries in groups.items():
            for name, (old, new) in entries.items():
                yield Mutation(name, file, tests, old, new)


def _copy_of_the_repository(folder: Path) -> Path:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True)
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    return folder


def _outcome(mutation: Mutation, copy: Path) -> str:
    path = copy / mutation.file
    original = path.read_text(encoding="utf-8")
    if original.count(mutation.old) != 1:
        return "outdated"
    path.write_text(original.replace(mutation.old, mutation.new), encoding="utf-8")
    try:
        return "killed" if _tests_fail(mutation.tests.split(), copy) else "SURVIVED"
    finally:
        path.write_text(original, encoding="utf-8")


def _tests_fail(tests: list[str], copy: Path) -> bool:
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(_paths(copy))}
    return subprocess.run(command, cwd=copy, env=environment, capture_output=True).returncode == 1


def _paths(copy: Path) -> Iterator[str]:
    return (str(copy / source) for source in SOURCES)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
