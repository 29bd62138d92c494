"""The rollback of the code in a larger repository; and every command of docs/rollback.md."""

from __future__ import annotations

import compileall
import logging
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from tests.support import deployed as aws
from tests.support.larger_repository import (
    MERGED,
    OWN_FILES,
    ROOT,
    changes,
    commit,
    git,
    listed_files,
    make_larger_repository,
    manifest,
    tracked_files,
    tree,
    write,
)

pytestmark = pytest.mark.no_cover  # moto under a tracer takes more than twice the time

SCRIPT = ROOT / "tools" / "rollback.sh"
PAGE = (ROOT / "docs" / "rollback.md").read_text(encoding="utf-8")
REFUSED = 2
NEEDED_BY_OTHERS = {
    "functions/__init__.py",
    "tests/__init__.py",
    "tests/unit/__init__.py",
    "tools/__init__.py",
}
_DYING_GIT = """#!/bin/bash
# git, but the third removal deletes one file and dies
case " $* " in *" rm "*)
  echo . >> "$COUNT_FILE"
  if [ "$(wc -l < "$COUNT_FILE")" = 3 ]; then rm -- "$2/${@: -1}"; exit 1; fi ;;
esac
exec "$REAL_GIT" "$@"
"""


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_larger_repository(tmp_path_factory.mktemp("merged") / "shop")


@pytest.fixture
def shop(merged: Path, tmp_path: Path) -> Path:
    """A larger repository of which a test may do what it likes."""
    return Path(shutil.copytree(merged, tmp_path / "shop", symlinks=True))


def rollback(*options: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [str(SCRIPT), *map(str, options)]
    return subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


def apply_to(repository: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return rollback("--apply", "--only", "code", "--repo", repository, *options, **environment)


def expected_changes(repository: Path) -> dict[str, str]:
    """Our files are deleted, files that both have are changed, and nothing else is."""
    came = {path for path in tracked_files(repository) - OWN_FILES.keys() if (ROOT / path).is_file()}
    gone = came & (manifest("remove") | manifest("revert")) - NEEDED_BY_OTHERS
    return dict.fromkeys(gone, "D") | dict.fromkeys(set(MERGED) - {"README.md"}, "M")


# --- the list --------------------------------------------------------------------------------------


def test_every_tracked_path_is_listed_once_and_every_listed_path_exists() -> None:
    remove, revert, stay = manifest("remove"), manifest("revert"), manifest("stay")
    unlisted = {path for path in tracked_files() if (ROOT / path).exists()} - remove - revert - stay
    assert unlisted == set(), "tools/rollback.sh --refresh-manifest adds them"
    assert remove & (revert | stay) == revert & stay == set()
    assert [path for path in sorted(remove | revert | stay) if not (ROOT / path).exists()] == []


def test_licence_and_readme_stay_and_the_project_s_own_folders_go() -> None:
    assert {"LICENSE", "README.md"} <= manifest("stay")
    folders = ("functions/video_api/", "layers/", "gpu_worker_image/", "events/", "tools/local_stack/")
    for folder in folders:
        assert any(path.startswith(folder) for path in manifest("remove"))
    assert {"template.yaml", "docs/rollback.md", "tools/rollback.sh"} <= manifest("remove")
    assert "samconfig.toml" in manifest("revert")


# --- the larger repository -------------------------------------------------------------------------


def test_exactly_the_feature_is_taken_out_of_a_larger_repository(shop: Path) -> None:
    # GIVEN a repository with files of its own, some in the same folders, some merged with ours
    expected, own = expected_changes(shop), shop / "shop" / "till.py"
    before = {name: (shop / name).read_bytes() for name in OWN_FILES}
    # WHEN the code is rolled back
    done = apply_to(shop)
    # THEN only ours is gone, the merged files are as they were before, and what is left compiles
    assert done.returncode == 0, done.stderr
    assert changes(shop) == expected
    assert {name: (shop / name).read_text(encoding="utf-8") for name in MERGED if name != "README.md"} == {
        name: OWN_FILES[name] for name in MERGED if name != "README.md"
    }
    untouched = OWN_FILES.keys() - {*MERGED} | {"README.md"}
    assert {name: (shop / name).read_bytes() for name in untouched} == {
        name: before[name] for name in untouched
    }
    assert "OPEN = True" in own.read_text(encoding="utf-8")
    assert compileall.compile_dir(shop, quiet=1, rx=re.compile(r"\.git/"))
    assert not (shop / "gpu_worker_image").exists()


def test_what_still_names_the_feature_is_told(shop: Path) -> None:
    told = apply_to(shop).stdout
    assert "README.md:" in told.partition("still named in")[2]
    assert "docs/shop.md" not in told
    assert "tools/__init__.py stays" in told


def test_a_dry_run_leaves_every_byte_and_names_every_file(shop: Path) -> None:
    before, expected = tree(shop), expected_changes(shop)
    shown = rollback("--dry-run", "--only", "code", "--repo", shop)
    assert shown.returncode == 0, shown.stderr
    assert tree(shop) == before
    named = {line.strip() for line in shown.stdout.splitlines()}
    assert {path for path, state in expected.items() if state == "D"} - named <= manifest("revert")
    assert all(f"take {path} back" in shown.stdout for path in MERGED if path != "README.md")


def test_a_file_that_was_changed_in_the_same_lines_is_left_to_hand(shop: Path) -> None:
    ours = (shop / "Makefile").read_text(encoding="utf-8")
    write(shop / "Makefile", ours.replace("VENV := .venv", "VENV := .environment"))
    commit(shop, "our Makefile goes on")
    done = apply_to(shop)
    assert "by hand: Makefile was changed since" in done.stdout
    assert "Makefile" not in changes(shop)


def test_without_history_shared_files_stay_and_are_named(tmp_path: Path) -> None:
    # GIVEN a repository that began with the feature in it
    alone = tmp_path / "alone"
    alone.mkdir()
    git(alone, "init", "--quiet")
    for name in listed_files():
        add_alone(alone, name)
    commit(alone, "everything")
    # WHEN its own copy of the script is run, which goes with the rest
    done = subprocess.run(
        [alone / "tools" / "rollback.sh", "--apply", "--only", "code"],
        capture_output=True,
        text=True,
        check=False,
    )
    # THEN what stays is what the list says
    assert done.returncode == 0, done.stderr
    assert tracked_files(alone) == listed_files() - manifest("remove")
    assert "Makefile:" in done.stdout.partition("still named in")[2]


def add_alone(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(ROOT / name, folder / name)


@pytest.mark.parametrize("path", ["shop/till.py", "template.yaml", "Makefile"])
def test_a_work_tree_with_changes_is_refused(shop: Path, path: str) -> None:
    write(shop / path, "changed\n")
    before = tree(shop)
    assert apply_to(shop).returncode == REFUSED
    assert tree(shop) == before


def test_changes_of_other_files_may_be_allowed_but_not_of_listed_ones(shop: Path) -> None:
    expected = expected_changes(shop)
    write(shop / "template.yaml", "changed\n")
    assert apply_to(shop, "--allow-dirty").returncode != 0
    assert (shop / "template.yaml").read_text(encoding="utf-8") == "changed\n"
    git(shop, "reset", "--quiet", "--hard")
    write(shop / "shop" / "till.py", "changed\n")
    assert apply_to(shop, "--allow-dirty").returncode == 0
    assert changes(shop) == expected | {"shop/till.py": "M"}


def test_it_goes_on_after_a_stop_and_then_has_nothing_to_do(shop: Path, tmp_path: Path) -> None:
    # GIVEN a rollback that died in the middle
    expected = expected_changes(shop)
    dying = tmp_path / "bin" / "git"
    write(dying, _DYING_GIT)
    dying.chmod(0o755)
    faults = {"REAL_GIT": str(shutil.which("git")), "COUNT_FILE": str(tmp_path / "count")}
    assert apply_to(shop, PATH=f"{dying.parent}:{os.environ['PATH']}", **faults).returncode != 0
    assert set(changes(shop)) < set(expected)
    # WHEN it is run again
    assert apply_to(shop).returncode == 0
    # THEN the end is the same, and a third run changes nothing
    assert changes(shop) == expected
    after = tree(shop)
    assert "nothing to remove" in apply_to(shop).stdout
    assert tree(shop) == after


# --- the page --------------------------------------------------------------------------------------


def commands() -> list[str]:
    blocks = re.findall(r"^ *```sh\n(.*?)```", PAGE, re.M | re.S)
    return [line.strip() for block in blocks for line in block.splitlines() if line.strip()]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    aws.use_moto(monkeypatch)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://{}:{}".format(*server.get_host_and_port()))
    yield
    server.stop()


def test_every_command_of_the_page_does_what_the_page_says(
    server: None, merged: Path, tmp_path: Path
) -> None:
    shown = commands()
    assert sum("tools/rollback.sh" in line for line in shown) == PAGE.count("tools/rollback.sh -") >= 9
    places: dict[str, Path] = {}
    for number, line in enumerate(shown):
        # GIVEN a deployment and a repository, made anew where a command before has taken them away
        if "--stack" in line and "--only data" not in line:
            places = places if is_deployed() else deploy_into(tmp_path / str(number), merged)
        # WHEN the command is run as it stands there, with names filled in
        done = run_line(line, places)
        # THEN it ends as the page says
        is_unfinished = "--apply --only infrastructure" in line and "--open-jobs" not in line
        assert done.returncode == int(is_unfinished), f"{line}\n{done.stdout}\n{done.stderr}"
        assert ("Run again" in done.stderr) == is_unfinished
    assert not is_deployed()
    assert aws.client("s3").list_buckets()["Buckets"] == []
    assert "template.yaml" not in tracked_files(places["REPO"])


def is_deployed() -> bool:
    return bool(
        aws.client("cloudformation").list_stacks(StackStatusFilter=["UPDATE_COMPLETE"])["StackSummaries"]
    )


def deploy_into(folder: Path, merged: Path) -> dict[str, Path]:
    for bucket in aws.client("s3").list_buckets()["Buckets"]:  # a kept one holds the name
        aws.empty_bucket(bucket["Name"])
    aws.deploy()
    shutil.copytree(merged, folder / "shop", symlinks=True)
    return {"FOLDER": folder / "rollback", "REPO": folder / "shop"}


def run_line(line: str, places: Mapping[str, Path]) -> subprocess.CompletedProcess[str]:
    for name, place in places.items():
        line = re.sub(rf"\b{name}\b", str(place), line)
    line = re.sub(r"\bSTACK\b", aws.STACK, line)
    if line.startswith("tools/rollback.sh") and "--only code" not in line:
        line += " --wait-s 0 --poll-s 0"
    return subprocess.run(["bash", "-c", line], cwd=ROOT, capture_output=True, text=True, check=False)
