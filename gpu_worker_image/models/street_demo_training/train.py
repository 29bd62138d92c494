"""Train the street model from a random start, and export it.

``python -m gpu_worker_image.models.street_demo_training.train`` writes the data set, trains (an interrupted
run continues) and keeps the best weights; ``--export`` turns them into the shipped int8 OpenVINO model,
which needs the packages of requirements-train.txt.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import yaml
from video_worker.plugins.yolo.ultralytics_environment import quiet_ultralytics

from gpu_worker_image.models.street_demo_training import SHIPPED
from gpu_worker_image.models.street_demo_training.scenes import Truth, random_scene, render
from gpu_worker_image.models.street_demo_training.shapes import CLASSES

SPLITS = {"train": (0, 2000), "val": (100_000, 200), "test": (200_000, 500)}
"""First seed and number of images of each split; they never overlap."""


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """Where and how long to train; the defaults are those of the shipped model."""

    folder: Path = SHIPPED.parents[2] / ".cache" / "street_demo"
    splits: Mapping[str, tuple[int, int]] = field(default_factory=lambda: SPLITS)
    epochs: int = 26
    image_size: int = 320
    batch: int = 16

    @property
    def weights(self) -> Path:
        """Folder of best.pt and last.pt."""
        return self.folder / "runs" / "street" / "weights"


def write_dataset(folder: Path, splits: Mapping[str, tuple[int, int]] = SPLITS) -> Path:
    """Write the images and labels that are missing, in Ultralytics' format; gives the path of data.yaml."""
    for split, (first, count) in splits.items():
        images, labels = folder / "images" / split, folder / "labels" / split
        images.mkdir(parents=True, exist_ok=True)
        labels.mkdir(parents=True, exist_ok=True)
        for seed in range(first, first + count):
            image, label = images / f"{seed}.jpg", labels / f"{seed}.txt"
            if image.is_file() and label.is_file():
                continue
            picture, truths = render(random_scene(seed))
            height, width = picture.shape[:2]
            label.write_text("".join(_label(truth, width, height) for truth in truths), encoding="utf-8")
            cv2.imwrite(str(image), picture, [cv2.IMWRITE_JPEG_QUALITY, 92])
    data = {split: f"images/{split}" for split in splits} | {"names": dict(enumerate(CLASSES))}
    path = folder / "data.yaml"
    path.write_text(yaml.safe_dump({"path": str(folder.resolve()), **data}))
    return path


def _label(truth: Truth, width: int, height: int) -> str:
    """One line: class, centre and size as shares of the picture."""
    x1, y1, x2, y2 = truth.xyxy
    shares = ((x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height)
    return f"{CLASSES.index(truth.class_name)} {' '.join(f'{share:.6f}' for share in shares)}\n"


def train(plan: TrainingPlan) -> None:
    """Train YOLO11n from its architecture alone; an interrupted run continues after its last epoch."""
    quiet_ultralytics()
    import ultralytics

    data = write_dataset(plan.folder / "dataset", plan.splits)
    last = plan.weights / "last.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if last.is_file():
            ultralytics.YOLO(str(last)).train(resume=True)
            return
        ultralytics.YOLO("yolo11n.yaml", task="detect").train(
            data=str(data),
            epochs=plan.epochs,
            imgsz=plan.image_size,
            batch=plan.batch,
            device="cpu",
            workers=1,
            seed=1,
            deterministic=True,
            pretrained=False,
            amp=False,
            cache="ram",
            cos_lr=True,
            close_mosaic=6,
            patience=8,
            fliplr=0.0,  # mirrored letters are not letters
            plots=False,
            project=str(plan.folder / "runs"),
            name="street",
            exist_ok=True,
        )


def export(plan: TrainingPlan) -> None:
    """Export the best weights to int8 OpenVINO, calibrated on generated images, as the shipped model."""
    quiet_ultralytics()
    import ultralytics

    data = write_dataset(plan.folder / "dataset", plan.splits)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = ultralytics.YOLO(str(plan.weights / "best.pt")).export(
            format="openvino", int8=True, data=str(data), imgsz=plan.image_size, fraction=1.0
        )
    for kind in (".xml", ".bin"):
        (source,) = Path(made).glob(f"*{kind}")
        shutil.copy(source, SHIPPED / f"street_demo{kind}")
    metadata = yaml.safe_load((Path(made) / "metadata.yaml").read_text(encoding="utf-8"))
    metadata["description"] = "YOLO11n trained from a random start on generated street scenes"
    metadata["author"] = "ForgeSyte Video Jobs"
    metadata["args"].pop("data", None)  # a path of this machine
    text = yaml.safe_dump(metadata, sort_keys=False)
    (SHIPPED / "metadata.yaml").write_text(text, encoding="utf-8")


def main() -> int:
    """Train, or export."""
    parser = argparse.ArgumentParser(prog="train", description=__doc__)
    parser.add_argument("--epochs", type=int, default=TrainingPlan().epochs)
    parser.add_argument("--export", action="store_true")
    arguments = parser.parse_args()
    plan = TrainingPlan(epochs=arguments.epochs)
    (export if arguments.export else train)(plan)
    print(f"Exported to {SHIPPED}" if arguments.export else f"Best weights: {plan.weights / 'best.pt'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
