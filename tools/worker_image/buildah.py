"""buildah, for machines without a Docker engine: no daemon, but it must be root.

Where no registry serves the base image, a small Debian with Debian's Python 3.11 stands in for it.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

from tools.local_stack.workers import Launch, Launcher
from tools.worker_image.order import LABEL, ROOT, NoImageError, Order
from tools.worker_image.programs import output_of, run

_CACHE = ROOT / ".cache" / "worker-image"
_STAND_IN = "localhost/video-worker-base:bookworm"
_STAND_IN_PACKAGES = "python3.11,python3.11-venv,ca-certificates"
_LINK_PYTHON = 'ln -s /usr/bin/python3.11 "$1/usr/local/bin/python"'
_PIP_OPTIONS = {"cert", "client-cert", "index-url", "extra-index-url", "proxy", "trusted-host", "timeout"}

_ENTER = """
mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
mount --bind /dev "$1/dev"
mount -t tmpfs -o size=64m,mode=1777 shm "$1/dev/shm"
mount --bind "$2" "$1/scratch"
mount -o remount,bind,ro "$1"
root=$1; shift 2
exec chroot "$root" "$@"
"""
"""Mounts as in a container with a read-only root; then this process becomes the container's."""


class Buildah:
    """Builds in a chroot and runs in one: in mounts of its own, as the image's user, without capabilities."""

    name = "buildah"

    def build(self, order: Order) -> None:
        """Build the image, and unpack it for running."""
        if not order.base:
            _make_stand_in()
        with order.models_folder() as models, _pip_configuration() as pip:
            options = ["--isolation=chroot", "--format=docker", "--layers=false", *pip]
            arguments = order.arguments(models, _STAND_IN)
            run([*_buildah("build"), *options, *arguments, str(ROOT)])
        self._unpack(order.tag)
        _output("rmi", "--prune")

    def inputs_hash(self, tag: str) -> str:
        """The label of the image."""
        labels: dict[str, str] = self._config(tag).get("Labels") or {}
        return labels.get(LABEL, "")

    def size(self, tag: str) -> str:
        """As `buildah images` shows it."""
        return _output("images", "--format={{.Size}}", tag).partition("\n")[0]

    def launcher(self, tag: str) -> Launcher:
        """A chroot into the unpacked image, with the user, the environment and the command of the image."""
        root = _output("mount", _container_of(tag))
        if not root:
            raise NoImageError(f"There is no image {tag}: make image TAG={tag}")
        return partial(_launch, Path(root), self._config(tag))

    def inside(self, worker: int, command: Sequence[str]) -> list[str]:
        """`nsenter`, as the worker's user and with its environment."""
        environment = Path(f"/proc/{worker}/environ").read_text(encoding="utf-8").strip("\0").split("\0")
        user = Path(f"/proc/{worker}").stat()
        entering = ["nsenter", f"--target={worker}", "--mount", "--root", "--wd"]
        return [*entering, *_as_user(user.st_uid, user.st_gid), "env", "-i", *environment, *command]

    def _config(self, tag: str) -> dict[str, Any]:
        inspected = _output("inspect", "--type=image", tag)
        config: dict[str, Any] = json.loads(inspected)["Docker"]["config"] if inspected else {}
        return config

    def _unpack(self, tag: str) -> None:
        _output("rm", _container_of(tag))
        run([*_buildah("from"), "--pull-never", f"--name={_container_of(tag)}", tag])


def _launch(root: Path, config: Mapping[str, Any], settings: Mapping[str, str], folder: Path) -> Launch:
    uid, gid = (int(part) for part in config["User"].split(":"))
    scratch = mkdtemp(prefix="scratch-", dir=folder)
    os.chown(scratch, uid, gid)
    entering = ["unshare", "--mount", "sh", "-euc", _ENTER, "sh", str(root), scratch]
    environment = dict(entry.split("=", 1) for entry in config["Env"])
    command = [*entering, *_as_user(uid, gid), *config["Entrypoint"]]
    return Launch(tuple(command), {**environment, **settings})


def _as_user(uid: int, gid: int) -> list[str]:
    ids = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]
    return [*ids, "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"]


def _make_stand_in() -> None:
    if _output("images", "--quiet", _STAND_IN):
        return
    with TemporaryDirectory(prefix="worker-image-base-") as folder:
        archive = Path(folder) / "base.tar"
        options = ["--variant=minbase", f"--include={_STAND_IN_PACKAGES}", f"--customize-hook={_LINK_PYTHON}"]
        run(["mmdebstrap", "--quiet", *options, "bookworm", str(archive)])
        containerfile = Path(folder) / "Containerfile"
        containerfile.write_text(f'FROM scratch\nADD {archive.name} /\nCMD ["python"]\n', encoding="utf-8")
        options = ["--quiet", "--layers=false", f"--tag={_STAND_IN}", f"--file={containerfile}"]
        run([*_buildah("build"), *options, folder])


@contextmanager
def _pip_configuration() -> Iterator[list[str]]:
    """Options of `buildah build` that let pip reach packages as it does on this machine."""
    listed = output_of([sys.executable, "-m", "pip", "config", "list"]) or ""
    found = dict(re.findall(r"^[\w:]+\.([\w-]+)='(.*)'$", listed, re.MULTILINE))
    options = {name: text for name, text in found.items() if name in _PIP_OPTIONS and "file:" not in text}
    with TemporaryDirectory(prefix="worker-image-pip-") as folder:
        file = Path(folder) / "pip.conf"
        lines = [f"{name} = {text}\n" for name, text in options.items()]
        file.write_text("[global]\n" + "".join(lines), encoding="utf-8")
        certificates = [text for name, text in options.items() if name.endswith("cert")]
        yield [f"--secret=id=pip,src={file}", *(f"--volume={text}:{text}:ro" for text in certificates)]


def _container_of(tag: str) -> str:
    return re.sub(r"[^\w.-]", "-", tag)


def _buildah(command: str) -> list[str]:
    return [
        "buildah",
        f"--root={_CACHE / 'root'}",
        f"--runroot={_CACHE / 'run'}",
        "--storage-driver=vfs",
        command,
    ]


def _output(command: str, *arguments: str) -> str:
    return output_of([*_buildah(command), *arguments]) or ""
