"""The rollback of the code: exactly the project leaves a larger repository; tests/proofs rolls AWS back."""

from __future__ import annotations

import compileall
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

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
Done = subprocess.CompletedProcess[str]


# --- a larger repository into which this project was merged --------------------------------------------


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


# --- the tests ---------------------------------------------------------------------------------------


def run(command: str, *options: str | Path) -> Done:
    line = " ".join([command, *map(str, options)])
    return subprocess.run(["bash", "-c", line], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_larger_repository(tmp_path_factory.mktemp("merged") / "shop")


@pytest.fixture
def shop(merged: Path, tmp_path: Path) -> Path:
    """A larger repository of which a test may do what it likes."""
    return Path(shutil.copytree(merged, tmp_path / "shop", symlinks=True))


def remove_code(repository: Path, *options: str) -> Done:
    return run("tools/rollback.sh code --repo", repository, *options)


@pytest.mark.parametrize("commits", ["", "--commits main~1^1..main~1", "--commits videos~2..videos"])
def test_exactly_the_project_is_taken_out_of_a_larger_repository(shop: Path, commits: str) -> None:
    # WHEN the code is removed
    done = remove_code(shop, commits, "--apply")
    # THEN the files are those of before, with what the shop itself changed since
    assert done.returncode == 0, done.stderr
    now = {name: (shop / name).read_text(encoding="utf-8") for name in git(shop, "ls-files").splitlines()}
    since = {"shop/till.py": "OPEN = False\n", "Makefile": "# first\n" + OWN_FILES["Makefile"]}
    assert now == OWN_FILES | since
    assert git(shop, "status", "--porcelain", "--untracked-files=all").splitlines() != []
    assert not (shop / "gpu_worker_image").exists()
    assert compileall.compile_dir(shop, quiet=1, rx=re.compile(r"\.git/"))


def test_a_dry_run_lists_every_file_and_changes_none(shop: Path) -> None:
    before = tree(shop)
    done = remove_code(shop)
    assert tree(shop) == before
    assert set(re.findall("^    delete (.+)", done.stdout, re.M)) == our_files() - OWN_FILES.keys()
    assert set(re.findall("^    revert (.+)", done.stdout, re.M)) == MERGED
    assert "        -demo: setup" in done.stdout


def test_what_still_names_the_project_is_told(shop: Path) -> None:
    write(shop / "shop" / "videos.py", "import video_jobs\n")
    commit(shop, "the shop uses it")
    assert "edit by hand: shop/videos.py:1:import video_jobs" in remove_code(shop, "--apply").stdout


@pytest.mark.parametrize("fault", ["changed", "conflict", "no history", "a failing deletion"])
def test_an_obstacle_changes_nothing(shop: Path, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    options = ["--apply"]
    if fault == "changed":
        write(shop / "shop" / "till.py", "OPEN = None\n")
    if fault == "conflict":
        ours = (shop / "Makefile").read_text(encoding="utf-8")
        write(shop / "Makefile", ours.replace("VENV := .venv", "VENV := .environment"))
        commit(shop, "the same line")
    if fault == "no history":
        options += ["--commits", "nothing..HEAD"]
    if fault == "a failing deletion":
        git_without_rm = (
            f"""#!/bin/sh\ncase " $* " in *" rm "*) exit 1;; esac\nexec {shutil.which("git")} "$@"\n"""
        )
        write(shop.parent / "bin" / "git", git_without_rm)
        (shop.parent / "bin" / "git").chmod(0o755)
        monkeypatch.setenv("PATH", f"{shop.parent}/bin:{os.environ['PATH']}")
    before = work_tree(shop)
    assert remove_code(shop, *options).returncode != 0
    assert work_tree(shop) == before


def work_tree(repository: Path) -> dict[str, bytes]:
    return {name: content for name, content in tree(repository).items() if not name.startswith(".git/")}
