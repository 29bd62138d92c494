"""What is to be built: variant, model, name, base."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copy2, copytree
from tempfile import TemporaryDirectory
from typing import Literal

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "gpu_worker_image" / "Dockerfile"
MODELS = ROOT / "gpu_worker_image" / "models"
STREET_DEMO = MODELS / "street_demo"
LABEL = "video-worker.inputs"
"""Label of an image with the hash of everything that it was built from."""

_COPIED = (
    "gpu_worker_image/Dockerfile",
    "gpu_worker_image/requirements*.txt",
    "gpu_worker_image/src/**/*",
    "layers/common/python/video_jobs/**/*",
)

Variant = Literal["cpu", "gpu"]


class OrderError(Exception):
    """Such an image cannot be built."""


class NoImageError(Exception):
    """There is no such image."""


@dataclass(frozen=True, slots=True)
class Order:
    """An image to build; an empty ``base`` is that of the Dockerfile, or what stands in for it."""

    variant: Variant
    model: Path
    tag: str
    base: str = ""

    @classmethod
    def of(cls, variant: Variant, model: str, tag: str = "", base: str = "") -> Order:
        """An order with its defaults filled in; ``model`` is a path, or ``auto``.

        Raises
        ------
        OrderError
            If the variant cannot run the model.
        """
        if model == "auto" and variant == "gpu":
            raise OrderError("The GPU image needs a model that a GPU runs, for example MODEL=path/to/x.pt")
        path = STREET_DEMO if model == "auto" else Path(model).expanduser().resolve()
        if not path.exists():
            raise OrderError(f"There is no model at {model}")
        if variant == "cpu" and not (path / "metadata.yaml").is_file():
            raise OrderError(
                f"The CPU image runs OpenVINO exports, and {path.name} is none: export it "
                f"(yolo export model={path.name} format=openvino), or build VARIANT=gpu"
            )
        if variant == "gpu" and any(path.glob("*.xml")):
            raise OrderError(f"{path.name} is an OpenVINO export, which runs on the CPU: build VARIANT=cpu")
        return cls(variant, path, tag or f"video-worker:{variant}", base)

    def arguments(self, models: Path, stand_in: str = "") -> list[str]:
        """What `docker build` and `buildah build` are both given.

        Parameters
        ----------
        models
            A folder with the model.
        stand_in
            Base image where the order names none.
        """
        arguments = [f"--tag={self.tag}", f"--file={DOCKERFILE}", f"--label={LABEL}={self.inputs_hash()}"]
        arguments += [f"--build-arg=VARIANT={self.variant}", f"--build-arg=MODEL={self.model.name}"]
        if base := self.base or stand_in:
            arguments.append(f"--build-arg=BASE_IMAGE={base}")
        return [*arguments, f"--build-context=models={models}"]

    def inputs_hash(self) -> str:
        """Hash of all files and options that make a difference to the image."""
        digest = hashlib.sha256(f"{self.variant} {self.model.name} {self.base}".encode())
        for file in _files(self.model):
            digest.update(file.name.encode() + file.read_bytes())
        for file in sorted(found for pattern in _COPIED for found in ROOT.glob(pattern)):
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(str(file.relative_to(ROOT)).encode() + file.read_bytes())
        return digest.hexdigest()[:16]

    @contextmanager
    def models_folder(self) -> Iterator[Path]:
        """A folder that holds the model under its name, and nothing else."""
        with TemporaryDirectory(prefix="worker-image-") as name:
            folder = Path(name)
            if self.model.is_dir():
                copytree(self.model, folder / self.model.name)
            else:
                copy2(self.model, folder)
            yield folder


def _files(model: Path) -> list[Path]:
    return sorted(path for path in model.rglob("*") if path.is_file()) if model.is_dir() else [model]
