"""Docker Engine."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from uuid import uuid4

from tools.local_stack.workers import Launch, Launcher
from tools.worker_image.order import LABEL, ROOT, Order

_HARDENED = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges")
_MARK = "video-worker.launch"


class Docker:
    """Uses the engine through its client."""

    name = "docker"

    def build(self, order: Order) -> None:
        """Build with BuildKit; ``PIP_CONFIG_FILE`` names a pip.conf for the build."""
        command = ["docker", "build"]
        if pip_conf := os.environ.get("PIP_CONFIG_FILE"):
            command.append(f"--secret=id=pip,src={pip_conf}")
        with order.models_folder() as models:
            subprocess.run([*command, *order.arguments(models), str(ROOT)], check=True)

    def inputs_hash(self, tag: str) -> str:
        """The label of the image."""
        wanted = f'{{{{index .Config.Labels "{LABEL}"}}}}'
        return _output("docker", "image", "inspect", f"--format={wanted}", tag)

    def size(self, tag: str) -> str:
        """As `docker images` shows it."""
        return _output("docker", "images", "--format={{.Size}}", tag)

    def launcher(self, tag: str) -> Launcher:
        """`docker run`; the writable folder is the image's volume, which ends with the container."""
        return partial(_launch, tag)

    def inside(self, worker: int, command: Sequence[str]) -> list[str]:
        """`docker exec`."""
        arguments = Path(f"/proc/{worker}/cmdline").read_text(encoding="utf-8").split("\0")
        mark = next(one for one in arguments if one.startswith(f"--label={_MARK}="))
        return ["docker", "exec", _containers(mark.removeprefix("--label="))[0], *command]


def _launch(tag: str, settings: Mapping[str, str], _folder: Path) -> Launch:
    mark = f"{_MARK}={uuid4().hex}"
    names = [f"--env={name}" for name in settings]  # the values come from the environment of `docker run`
    options = ["--rm", "--network=host", *_HARDENED, f"--label={mark}", *names]
    environment = {**os.environ, **settings}
    return Launch(("docker", "run", *options, tag), environment, partial(_remove, mark))


def _remove(mark: str) -> None:
    for container in _containers(mark):
        subprocess.run(["docker", "rm", "--force", container], capture_output=True, check=False)


def _containers(mark: str) -> list[str]:
    return _output("docker", "ps", "--all", "--quiet", f"--filter=label={mark}").split()


def _output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
