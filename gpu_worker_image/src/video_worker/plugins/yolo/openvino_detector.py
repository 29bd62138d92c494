"""An OpenVINO export on the CPU, compiled here, without Ultralytics and torch.

Ultralytics runs such a model synchronously, in a precision that depends on the CPU (bfloat16 on some).
Here the precision is fixed, and several threads can run the model at the same time.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from video_jobs.domain.errors import SettingError
from video_jobs.settings import WorkerSettings

from video_worker.inference.openvino_session import (
    CpuUse,
    OpenVinoSession,
    cpu_capabilities,
    cpu_facts,
    openvino_version,
    read_model,
)
from video_worker.plugins.yolo.detector import EVERYTHING, Detection, Wanted, to_detections
from video_worker.plugins.yolo.letterbox import Letterbox
from video_worker.plugins.yolo.model_file import model_sha256
from video_worker.plugins.yolo.suppression import chosen_boxes
from video_worker.video.open_video import Image


class OpenVinoDetector:
    """Compiled once; every call of `detect` takes one of its inference requests."""

    def __init__(self, path: Path, settings: WorkerSettings) -> None:
        _check_device(settings)
        metadata = _metadata(path)
        height, width = _image_size(metadata)
        self.names = {int(key): str(name) for key, name in metadata["names"].items()}
        self._input_shape = (height, width)
        self._confidence, self._iou = settings.confidence_threshold, settings.iou_threshold
        model = read_model(next(path.glob("*.xml")))
        model.reshape([1, 3, height, width])
        self._session = OpenVinoSession(model, CpuUse.of(settings))
        self._facts = self._facts_of(path, settings.precision)

    def detect(self, image: Image, wanted: Wanted = EVERYTHING) -> list[Detection]:
        """The wanted objects of one frame; waits while all inference requests are in use."""
        letterbox = Letterbox.of((image.shape[0], image.shape[1]), self._input_shape)
        tensor = _to_tensor(letterbox.place(image))
        least = wanted.threshold(self._confidence)
        rows = chosen_boxes(self._session.run(tensor), least, self._iou, wanted.class_ids)
        rows[:, :4] = letterbox.to_frame(rows[:, :4])
        return to_detections(rows.tolist(), self.names, wanted)

    def facts(self) -> Mapping[str, Any]:
        """Everything that the boxes depend on."""
        return self._facts

    def _facts_of(self, path: Path, precision: str) -> dict[str, Any]:
        return {
            "backend": "openvino",
            "model": path.name,
            "model_sha256": model_sha256(path),
            "classes": [self.names[number] for number in sorted(self.names)],
            **cpu_facts(precision),
            "batch_shape": [1, 3, *self._input_shape],
            "openvino": openvino_version(),
        }


def _to_tensor(padded: Image) -> NDArray[np.float32]:
    """Convert BGR height x width x 3 to RGB 1 x 3 x height x width in 0-1."""
    planes = np.ascontiguousarray(padded[..., ::-1].transpose(2, 0, 1)[None])
    return planes.astype(np.float32) / np.float32(255)


def _check_device(settings: WorkerSettings) -> None:
    if settings.device != "cpu":
        raise SettingError("An OpenVINO export runs on the CPU: set DEVICE=cpu, or give another model")
    if settings.precision == "f16" and "FP16" not in cpu_capabilities():
        raise SettingError("This CPU does not calculate in half precision: set PRECISION=f32")


def _metadata(path: Path) -> dict[str, Any]:
    file = path / "metadata.yaml"
    if not file.is_file():
        raise SettingError(f"{path} has no metadata.yaml: export it with Ultralytics")
    metadata: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    if metadata.get("task", "detect") != "detect" or not metadata.get("names"):
        raise SettingError(f"{path} is not a detection model")
    return metadata


def _image_size(metadata: Mapping[str, Any]) -> tuple[int, int]:
    size = metadata.get("imgsz", [640, 640])
    height, width = ast.literal_eval(size) if isinstance(size, str) else size
    return int(height), int(width)
