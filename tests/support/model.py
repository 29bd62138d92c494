"""Which detection model the tests run: the real one where it is present, otherwise random weights."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import pytest
from video_worker.plugins.yolo.ultralytics_environment import quiet_ultralytics

SHARED = Path(__file__).parents[3] / "shared"
REAL_MODEL = SHARED / "models" / "yolo11n_int8_openvino_model"
PEOPLE = SHARED / "media" / "one-by-one-person-detection.mp4"

needs_real_model = pytest.mark.skipif(
    not REAL_MODEL.is_dir() or bool(os.environ.get("WITHOUT_SHARED")),
    reason="needs the YOLO11n beside the project: what is detected cannot be checked with random weights",
)


def model_for_tests(folder: Path) -> Path:
    """The real YOLO11n, or an OpenVINO export of a YOLO11n with random weights."""
    if REAL_MODEL.is_dir() and not os.environ.get("WITHOUT_SHARED"):
        return REAL_MODEL
    return export_random_model(folder)


def export_random_model(folder: Path) -> Path:
    """Export an untrained YOLO11n, 320 px, f32; it finds nothing, but it runs as any model does."""
    quiet_ultralytics()
    import torch
    import ultralytics

    torch.manual_seed(0)
    model = ultralytics.YOLO("yolo11n.yaml", task="detect")
    source = folder / "random.pt"
    model.save(str(source))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ultralytics' exporter uses what torch deprecates
        return Path(ultralytics.YOLO(str(source)).export(format="openvino", imgsz=320, verbose=False))
