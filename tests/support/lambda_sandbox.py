"""The file system that a function sees in Lambda, for one tree of processes; the machine stays as it is.

In a mount namespace of its own: the function at /var/task and its layers at /opt, both read-only, the
runtime's client at /var/runtime, Python at /var/lang, an empty /tmp, no name server, and no trace of this
repository. Where a machine lets nobody make namespaces, the search path names the same folders in the same
order instead.
"""

from __future__ import annotations

import os
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
_ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
_DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL")
_NAMESPACE = ("unshare", "--map-root-user", "--mount", "--pid", "--fork", "--kill-child")

# The parts are gathered in one place before any of them is covered: each may lie below /var, /opt or /tmp.
# A mount must keep the limits of where its files lie; a /tmp that is mounted nosuid,nodev is the usual one.
_MOUNT = """
set -eu
stage=$1 task=$2 layers=$3 runtime=$4 python=$5 emulator=$6 repository=$7
shift 7
mount -t tmpfs tmpfs "$stage"
mkdir -p "$stage/opt" "$stage/var/task" "$stage/var/runtime" "$stage/var/lang"
: > "$stage/var/emulator"
mount -o bind,ro,nosuid,nodev "$task" "$stage/var/task"
mount -o bind,ro,nosuid,nodev "$layers" "$stage/opt"
mount -o bind,ro,nosuid,nodev "$runtime" "$stage/var/runtime"
mount -o bind,ro,nosuid,nodev "$python" "$stage/var/lang"
mount -o bind,ro,nosuid,nodev "$emulator" "$stage/var/emulator"
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


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where the parts of an execution environment lie."""

    task: Path
    layers: Path
    runtime: Path
    python: Path = Path(sys.base_prefix)
    emulator: Path = field(default_factory=lambda: emulator_path())

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
        Stands before the command; what is started so dies with the thread that starts it.
    """

    name: str
    layout: Layout
    prefix: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


def sandbox_for(parts: Layout, folder: Path) -> Sandbox:
    """The namespace, or the search path where there can be none; ``folder`` is empty and its own."""
    if can_make_namespaces():
        return Sandbox("mount namespace", IN_LAMBDA, _namespace_prefix(parts, folder))
    prefix = _DIES_WITH_US if shutil.which(_DIES_WITH_US[0]) else ()
    environment = {"TMPDIR": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    return Sandbox("search path", parts, prefix, environment)


@lru_cache(maxsize=1)
def can_make_namespaces() -> bool:
    """Whether all the mounts succeed here, and Python runs behind them."""
    if not all(shutil.which(tool) for tool in (_DIES_WITH_US[0], _NAMESPACE[0])):
        return False
    with TemporaryDirectory(prefix="lambda-sandbox-") as name:
        stage, empty = Path(name, "stage"), Path(name, "empty")
        stage.mkdir()
        empty.mkdir()
        prefix = _namespace_prefix(Layout(task=empty, layers=empty, runtime=empty), stage)
        python = str(IN_LAMBDA.python / "bin" / PYTHON)
        done = subprocess.run([*prefix, python, "-S", "-c", ""], capture_output=True, check=False)
        return done.returncode == 0


def emulator_path() -> Path:
    """The emulator that the SAM CLI carries for this kind of processor."""
    spec = find_spec("samcli")
    assert spec is not None
    assert spec.origin is not None
    architecture = _ARCHITECTURES[platform.machine().lower()]
    return Path(spec.origin).parent / "local" / "rapid" / f"aws-lambda-rie-{architecture}"


def install_runtime_client(folder: Path) -> None:
    """Copy `awslambdaric` and what it imports, without anything else of this environment."""
    for name in _CLIENT:
        for file in distribution(name).files or ():
            if ".." not in file.parts and not file.parts[0].endswith(".dist-info"):
                target = folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(str(file.locate()), target)


def merge_layers(folder: Path, layers: Sequence[Path]) -> None:
    """Lay one layer over the other, as Lambda does; of two files of one name the later layer's is left."""
    for layer in layers:
        shutil.copytree(layer, folder, dirs_exist_ok=True, copy_function=_link_or_copy)


def _link_or_copy(source: str, target: str) -> None:
    """Thousands of files are linked in no time; across file systems they have to be copied."""
    Path(target).unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _namespace_prefix(parts: Layout, stage: Path) -> list[str]:
    sources = (stage, parts.task, parts.layers, parts.runtime, parts.python, parts.emulator, ROOT)
    return [*_DIES_WITH_US, *_NAMESPACE, "sh", "-c", _MOUNT, "sandbox", *map(str, sources)]
