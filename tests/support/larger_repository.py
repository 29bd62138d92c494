"""A larger repository into which this project was merged."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
OWN_FILES = {
    "README.md": "# A shop\n",
    "Makefile": "sell:\n\tpython -m shop\n\ncount:\n\tpython -m shop.count\n",
    "shop/till.py": "OPEN = True\n",
    "functions/__init__.py": "",
    "functions/sell/app.py": "def lambda_handler(event: object, context: object) -> None: ...\n",
    "tools/Über uns.py": "print(3)\n",
}
MERGED = {"README.md", "Makefile"}
"""Files that both have: after the merge they hold the shop's lines, then ours."""


def git(repository: Path, *arguments: str) -> str:
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "core.quotePath=false")
    done = subprocess.run(
        ["git", *who, *arguments], cwd=repository, capture_output=True, text=True, check=True
    )
    return done.stdout


def our_files() -> set[str]:
    listed = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    return {name for name in listed if (ROOT / name).is_file()}


def make_larger_repository(folder: Path) -> Path:
    """Its own commit, ours in two commits on a branch, the merge, and a commit of its own after it."""
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch", "main")
    for name, text in OWN_FILES.items():
        write(folder / name, text)
    commit(folder, "the shop")
    git(folder, "checkout", "--quiet", "-b", "videos")
    for name in sorted(our_files()):
        add_ours(folder, name)
        if name == "Makefile":
            commit(folder, "the first videos")
    commit(folder, "the videos")
    git(folder, "checkout", "--quiet", "main")
    git(folder, "merge", "--quiet", "--no-ff", "-m", "the videos come", "videos")
    write(folder / "shop" / "till.py", "OPEN = False\n")
    write(folder / "template.yaml", "changed since\n")
    write(folder / "Makefile", "# first\n" + (folder / "Makefile").read_text(encoding="utf-8"))
    commit(folder, "the shop goes on")
    return folder


def add_ours(folder: Path, name: str) -> None:
    if name in MERGED:
        write(folder / name, OWN_FILES[name] + "\n" + (ROOT / name).read_text(encoding="utf-8"))
    elif name not in OWN_FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def commit(folder: Path, message: str) -> None:
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "--no-verify", "-m", message)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file, git's own included."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
