"""Ultralytics as it is: any format that it loads, on any device that it knows."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from video_jobs.domain.errors import SettingError
from video_jobs.settings import WorkerSettings

from video_worker.plugins.yolo.detector import MAX_DETECTIONS, Detection, to_detections
from video_worker.plugins.yolo.model_file import model_sha256
from video_worker.plugins.yolo.ultralytics_environment import quiet_ultralytics
from video_worker.video_reader import Image


class UltralyticsDetector:
    """``YOLO(model).predict``, one frame at a time: its model objects are not thread-safe."""

    def __init__(self, path: Path, settings: WorkerSettings) -> None:
        quiet_ultralytics()
        import torch
        import ultralytics

        if settings.device != "cpu" and not torch.cuda.is_available():
            raise SettingError(f"DEVICE is {settings.device!r}, but this machine has no CUDA device")
        self._lock = threading.Lock()
        self._model = ultralytics.YOLO(str(path), task="detect")
        self._arguments: dict[str, Any] = {
            "conf": settings.confidence_threshold,
            "iou": settings.iou_threshold,
            "max_det": MAX_DETECTIONS,
            "device": settings.device,
            "half": settings.precision == "f16",
            "verbose": False,
        }
        self._facts = {
            "backend": "ultralytics",
            "model": path.name,
            "model_sha256": model_sha256(path),
            "classes": [str(name) for name in self._model.names.values()],
            "device": settings.device,
            "precision": settings.precision,
            "ultralytics": ultralytics.__version__,
            "torch": torch.__version__,
        }

    def detect(self, image: Image) -> list[Detection]:
        """Objects of one frame."""
        with self._lock:
            result = self._model.predict(image, **self._arguments)[0]
        return to_detections(result.boxes.data.cpu().tolist(), result.names)

    def facts(self) -> Mapping[str, Any]:
        """What the boxes depend on."""
        return self._facts
