"""The file system that a function sees in Lambda, for one tree of processes; the machine stays as it is.

In a mount namespace of its own: the function at /var/task and its layers at /opt, both read-only, the
runtime's client at /var/runtime, Python at /var/lang, an empty /tmp, no name server, and no trace of this
repository. On a machine that forbids namespaces, the search path names the same folders in the same order.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
_CLIENT = ("awslambdaric", "simplejson", "snapshot_restore_py")
_DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL")
_NAMESPACE = ("unshare", "--map-root-user", "--mount", "--pid", "--fork", "--kill-child")

# All folders are gathered in one place before any of them is covered: each may lie below /var, /opt or /tmp.
# A mount must keep the limits of where its files lie; a /tmp that is mounted nosuid,nodev is the usual one.
_MOUNT = """
set -eu
stage=$1 repository=$2 task=$3 layers=$4 runtime=$5 python=$6 emulator=$7
shift 7
place() { mount -o bind,ro,nosuid,nodev "$1" "$stage/$2"; }
mount -t tmpfs tmpfs "$stage"
mkdir -p "$stage/opt" "$stage/var/task" "$stage/var/runtime" "$stage/var/lang"
: > "$stage/var/emulator"
place "$task" var/task; place "$layers" opt; place "$runtime" var/runtime
place "$python" var/lang; place "$emulator" var/emulator
mount -t tmpfs -o remount,ro tmpfs "$stage"
mount -t tmpfs -o ro tmpfs "$repository"
mount --rbind "$stage/opt" /opt
mount --rbind "$stage/var" /var
mount -t tmpfs tmpfs /tmp
if [ -e /etc/resolv.conf ]; then mount --bind /dev/null /etc/resolv.conf; fi
export LD_LIBRARY_PATH=/var/lang/lib
cd /var/task
exec "$@"
"""


def emulator_path() -> Path:
    """The emulator that the SAM CLI carries for this kind of processor."""
    spec = find_spec("samcli")
    assert spec is not None
    assert spec.origin is not None
    architecture = {"aarch64": "arm64", "arm64": "arm64"}.get(platform.machine().lower(), "x86_64")
    return Path(spec.origin).parent / "local" / "rapid" / f"aws-lambda-rie-{architecture}"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where the files of an execution environment lie."""

    task: Path
    layers: Path
    runtime: Path
    python: Path = Path(sys.base_prefix)
    emulator: Path = field(default_factory=emulator_path)

    @property
    def search_path(self) -> list[str]:
        """Where Lambda's Python looks: the function, its layers, the runtime's client."""
        packages = self.layers / "python"
        of_layers = [packages / "lib" / PYTHON / "site-packages", packages]
        return [str(path) for path in (self.task, *of_layers, self.runtime)]


IN_LAMBDA = Layout(
    task=Path("/var/task"),
    layers=Path("/opt"),
    runtime=Path("/var/runtime"),
    python=Path("/var/lang"),
    emulator=Path("/var/emulator"),
)


@dataclass(frozen=True)
class Sandbox:
    """How a function is kept from the rest of the machine.

    Attributes
    ----------
    layout
        As the function sees it.
    prefix
        Stands before the command; a process that it starts dies with the thread that started it.
    """

    name: str
    layout: Layout
    prefix: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


def sandbox_for(layout: Layout, folder: Path) -> Sandbox:
    """A namespace, or the search path where there can be none; ``folder`` is empty and its own."""
    if can_make_namespaces():
        return Sandbox("mount namespace", IN_LAMBDA, _namespace_prefix(layout, folder))
    prefix = _DIES_WITH_US if shutil.which(_DIES_WITH_US[0]) else ()
    environment = {"TMPDIR": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    return Sandbox("search path", layout, prefix, environment)


@lru_cache(maxsize=1)
def can_make_namespaces() -> bool:
    """Whether all the mounts succeed here, and Python runs behind them."""
    if not all(shutil.which(tool) for tool in (_DIES_WITH_US[0], _NAMESPACE[0])):
        return False
    with TemporaryDirectory(prefix="stage-") as stage, TemporaryDirectory(prefix="empty-") as empty:
        layout = Layout(task=Path(empty), layers=Path(empty), runtime=Path(empty))
        python = str(IN_LAMBDA.python / "bin" / PYTHON)
        command = [*_namespace_prefix(layout, Path(stage)), python, "-S", "-c", ""]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _namespace_prefix(layout: Layout, stage: Path) -> list[str]:
    folders = (stage, ROOT, layout.task, layout.layers, layout.runtime, layout.python, layout.emulator)
    return [*_DIES_WITH_US, *_NAMESPACE, "sh", "-c", _MOUNT, "sandbox", *map(str, folders)]


def install_runtime_client(folder: Path) -> None:
    """Copy `awslambdaric` and what it imports, without anything else of this environment."""
    for name in _CLIENT:
        for file in distribution(name).files or ():
            if ".." not in file.parts and not file.parts[0].endswith(".dist-info"):
                target = folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(str(file.locate()), target)
