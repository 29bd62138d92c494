"""What builds the image and runs its containers: Docker where an engine answers, otherwise buildah."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from typing import Protocol

from tools.local_stack.workers import Launcher
from tools.worker_image.buildah import Buildah
from tools.worker_image.docker import Docker
from tools.worker_image.order import Order
from tools.worker_image.programs import output_of


class NoEngineError(Exception):
    """Nothing on this machine can build images."""


class Engine(Protocol):
    """Builds images and starts containers."""

    name: str

    def build(self, order: Order) -> None:
        """Build the image; what the builder prints goes to this process's output."""
        ...

    def inputs_hash(self, tag: str) -> str:
        """The label `LABEL` of an image, or an empty text if there is no such image."""
        ...

    def size(self, tag: str) -> str:
        """The size of an image, with its unit."""
        ...

    def launcher(self, tag: str) -> Launcher:
        """What starts a container as its own user, with a read-only root and one writable folder."""
        ...

    def inside(self, worker: int, command: Sequence[str]) -> list[str]:
        """What runs ``command`` in the container that process ``worker`` started."""
        ...


def find_engine() -> Engine:
    """The engine that this machine has.

    Raises
    ------
    NoEngineError
        With what is missing.
    """
    if shutil.which("docker") and output_of(["docker", "info"]) is not None:
        return Docker()
    missing = [name for name in ("buildah", "mmdebstrap") if shutil.which(name) is None]
    if missing:
        raise NoEngineError(f"No Docker engine answers; without one: apt-get install {' '.join(missing)}")
    if os.geteuid() != 0:
        raise NoEngineError("No Docker engine answers, and buildah builds without one only as root")
    return Buildah()
