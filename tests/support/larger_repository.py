"""A larger repository into which this project was merged."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
OWN_FILES = {
    "README.md": "# A shop\n",
    "Makefile": "sell:\n\tpython -m shop\n",
    ".gitignore": "*.log\n",
    "samconfig.toml": 'version = 0.1\n\n[shop.deploy.parameters]\nstack_name = "shop"\n',
    "shop/__init__.py": "",
    "shop/till.py": "def price(cents: int) -> str:\n    return f'{cents / 100:.2f}'\n",
    "docs/shop.md": "Events of the shop; see also [videos](events.md).\n",
    "events/sale.json": "{}\n",
    "functions/__init__.py": "",
    "functions/sell/app.py": "def lambda_handler(event: object, context: object) -> None: ...\n",
    "tests/__init__.py": "",
    "tests/conftest.py": "import pytest\n",
    "tests/unit/test_till.py": "from shop.till import price\n\nassert price(5) == '0.05'\n",
    "tools/count_stock.py": "print(3)\n",
}
MERGED = ("Makefile", ".gitignore", "samconfig.toml", "README.md", "tests/conftest.py")
"""Files that both have: after the merge they hold the shop's lines, then ours."""


def git(repository: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments],
        cwd=repository,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def tracked_files(repository: Path = ROOT) -> set[str]:
    return set(git(repository, "-c", "core.quotePath=false", "ls-files").splitlines())


def make_larger_repository(folder: Path) -> Path:
    """Its own commit, ours on a branch, the merge, and a commit of its own after it."""
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch", "main")
    for name, text in OWN_FILES.items():
        write(folder / name, text)
    commit(folder, "the shop")
    git(folder, "checkout", "--quiet", "-b", "videos")
    for name in sorted(listed_files()):
        add_ours(folder, name)
    commit(folder, "the videos")
    git(folder, "checkout", "--quiet", "main")
    git(folder, "merge", "--quiet", "--no-ff", "-m", "the videos come", "videos")
    write(folder / "shop" / "till.py", OWN_FILES["shop/till.py"] + "\n\nOPEN = True\n")
    commit(folder, "the shop goes on")
    return folder


def listed_files() -> set[str]:
    """What the manifest lists, where it is there."""
    listed = manifest("remove") | manifest("revert") | manifest("stay")
    return {path for path in listed if (ROOT / path).is_file()}


def manifest(word: str) -> set[str]:
    lines = (ROOT / "tools" / "rollback" / "manifest.txt").read_text(encoding="utf-8").splitlines()
    return {line.removeprefix(f"{word} ") for line in lines if line.startswith(f"{word} ")}


def add_ours(folder: Path, name: str) -> None:
    target = folder / name
    if name in MERGED:
        write(target, OWN_FILES[name] + "\n" + (ROOT / name).read_text(encoding="utf-8"))
    elif name not in OWN_FILES:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def commit(folder: Path, message: str) -> None:
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "--no-verify", "-m", message)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file, git's own included."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def changes(repository: Path) -> dict[str, str]:
    """What differs from the last commit: path to D, M or A."""
    lines = git(repository, "-c", "core.quotePath=false", "diff", "--no-renames", "--name-status", "HEAD")
    return {path: state for state, path in (line.split("\t") for line in lines.splitlines())}
