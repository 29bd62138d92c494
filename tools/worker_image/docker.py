"""Docker Engine."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from uuid import uuid4

from tools.local_stack.workers import Launch, Launcher
from tools.worker_image.order import LABEL, ROOT, Order
from tools.worker_image.programs import output_of, run

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
            run([*command, *order.arguments(models), str(ROOT)])

    def inputs_hash(self, tag: str) -> str:
        """The label of the image."""
        wanted = f'{{{{index .Config.Labels "{LABEL}"}}}}'
        return output_of(["docker", "image", "inspect", f"--format={wanted}", tag]) or ""

    def size(self, tag: str) -> str:
        """As `docker images` shows it."""
        return (output_of(["docker", "images", "--format={{.Size}}", tag]) or "").partition("\n")[0]

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
        output_of(["docker", "rm", "--force", container])


def _containers(mark: str) -> list[str]:
    return (output_of(["docker", "ps", "--all", "--quiet", f"--filter=label={mark}"]) or "").split()
