"""Write generated scenes as a data set in Ultralytics' format."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import yaml

from tools.demo_model.scenes import Truth, random_scene, render
from tools.demo_model.shapes import CLASSES

SPLITS = {"train": (0, 2000), "val": (100_000, 200), "test": (200_000, 500)}
"""First seed and number of images of each split; they never overlap."""


def write_dataset(folder: Path, splits: Mapping[str, tuple[int, int]] = SPLITS) -> Path:
    """Write the images and labels that are not there yet; answers the path of data.yaml."""
    for split, (first, count) in splits.items():
        images, labels = folder / "images" / split, folder / "labels" / split
        images.mkdir(parents=True, exist_ok=True)
        labels.mkdir(parents=True, exist_ok=True)
        for seed in range(first, first + count):
            _write_scene(seed, images / f"{seed}.jpg", labels / f"{seed}.txt")
    description = {
        "path": str(folder.resolve()),
        **{split: f"images/{split}" for split in splits},
        "names": dict(enumerate(CLASSES)),
    }
    path = folder / "data.yaml"
    path.write_text(yaml.safe_dump(description), encoding="utf-8")
    return path


def _write_scene(seed: int, image: Path, label: Path) -> None:
    if image.is_file() and label.is_file():
        return
    picture, truths = render(random_scene(seed))
    height, width = picture.shape[:2]
    lines = [_label(truth, width, height) for truth in truths]
    label.write_text("".join(lines), encoding="utf-8")
    cv2.imwrite(str(image), picture, [cv2.IMWRITE_JPEG_QUALITY, 92])


def _label(truth: Truth, width: int, height: int) -> str:
    """One line: class, centre and size as shares of the picture."""
    x1, y1, x2, y2 = truth.xyxy
    center = ((x1 + x2) / 2 / width, (y1 + y2) / 2 / height)
    size = ((x2 - x1) / width, (y2 - y1) / height)
    numbers = " ".join(f"{value:.6f}" for value in (*center, *size))
    return f"{CLASSES.index(truth.class_name)} {numbers}\n"
