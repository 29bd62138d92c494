"""Which engine builds the image, and how Docker is told to start a container."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tools.worker_image.docker import Docker
from tools.worker_image.engine import NoEngineError, find_engine
from tools.worker_image.order import LABEL, Order

FAKE_DOCKER = """#!/bin/sh
echo "$@" >> "$FAKE_DOCKER/calls"
case "$1 $2" in
  "info "*) exit "$(cat "$FAKE_DOCKER/engine")" ;;
  "image inspect") echo 0123456789abcdef ;;
  "images "*) printf '934MB\\n934MB\\n' ;;
  "ps "*) echo c0ffee ;;
esac
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs besides which there are only those of `sh` itself; docker has an engine."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "docker").write_text(FAKE_DOCKER, encoding="utf-8")
    (folder / "docker").chmod(0o755)
    (tmp_path / "engine").write_text("0", encoding="utf-8")
    for name in ("sh", "cat"):
        (folder / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("FAKE_DOCKER", str(tmp_path))
    monkeypatch.setenv("PATH", str(folder))
    return folder


def calls(programs: Path) -> list[list[str]]:
    return [line.split() for line in (programs.parent / "calls").read_text(encoding="utf-8").splitlines()]


def test_docker_is_taken_where_its_engine_answers(programs: Path) -> None:
    assert find_engine().name == "docker"
    assert calls(programs) == [["info"]]


def test_a_client_without_an_engine_is_not_enough(programs: Path) -> None:
    (programs.parent / "engine").write_text("1", encoding="utf-8")
    with pytest.raises(NoEngineError, match="apt-get install buildah mmdebstrap"):
        find_engine()


def test_buildah_is_taken_without_an_engine(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (programs / "docker").unlink()
    for name in ("buildah", "mmdebstrap"):
        (programs / name).symlink_to(programs / "sh")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert find_engine().name == "buildah"
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NoEngineError, match="only as root"):
        find_engine()


def test_docker_builds_with_the_model_in_a_folder_of_its_own(programs: Path) -> None:
    order = Order.of("cpu", "auto", base="base:1")
    Docker().build(order)
    ((command, *arguments),) = calls(programs)
    assert command == "build"
    assert {"--tag=video-worker:cpu", "--build-arg=VARIANT=cpu", "--build-arg=MODEL=street_demo"} <= {
        *arguments
    }
    assert {"--build-arg=BASE_IMAGE=base:1", f"--label={LABEL}={order.inputs_hash()}"} <= {*arguments}
    assert any(one.startswith("--build-context=models=/") for one in arguments)
    assert not any(one.startswith("--secret") for one in arguments)


def test_docker_takes_the_pip_configuration_that_is_named(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", "/etc/own-pip.conf")
    Docker().build(Order.of("cpu", "auto"))
    assert "--secret=id=pip,src=/etc/own-pip.conf" in calls(programs)[0]


def test_a_container_of_docker_has_no_rights_and_its_settings_are_not_in_the_command(tmp_path: Path) -> None:
    launch = Docker().launcher("video-worker:cpu")({"BUCKET_NAME": "media"}, tmp_path)
    assert launch.command[:2] == ("docker", "run")
    assert launch.command[-1] == "video-worker:cpu"
    assert {"--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"} <= {*launch.command}
    assert "--env=BUCKET_NAME" in launch.command
    assert launch.environment["BUCKET_NAME"] == "media"


@pytest.mark.usefixtures("programs")
def test_docker_tells_what_it_has() -> None:
    assert Docker().inputs_hash("video-worker:cpu") == "0123456789abcdef"
    assert Docker().size("video-worker:cpu") == "934MB"


def test_a_killed_container_is_removed(programs: Path, tmp_path: Path) -> None:
    launch = Docker().launcher("video-worker:cpu")({}, tmp_path)
    (mark,) = (one for one in launch.command if one.startswith("--label="))
    launch.remove()
    asked, removed = calls(programs)
    assert f"--filter={mark.removeprefix('--')}" in asked
    assert removed == ["rm", "--force", "c0ffee"]
