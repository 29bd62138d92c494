"""Ultralytics itself, with any format that it loads, on any device that it supports."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from video_jobs.domain.errors import SettingError
from video_jobs.settings import WorkerSettings

from video_worker.plugins.yolo.batcher import Batcher
from video_worker.plugins.yolo.detector import EVERYTHING, MAX_DETECTIONS, Detection, Wanted, to_detections
from video_worker.plugins.yolo.model_file import model_sha256
from video_worker.plugins.yolo.ultralytics_environment import quiet_ultralytics
from video_worker.video.open_video import Image

GPU_BATCH = 8


class UltralyticsDetector:
    """``YOLO(model).predict`` in one thread, because Ultralytics' models are not thread-safe.

    On a GPU, the frames of several threads are joined into batches of one size, in half precision if the
    settings say so. On a CPU, batches do not make a small model faster.
    """

    def __init__(self, path: Path, settings: WorkerSettings) -> None:
        quiet_ultralytics()
        import torch
        import ultralytics

        _check_device(settings, torch.cuda.device_count())
        self._model = ultralytics.YOLO(str(path), task="detect")
        self.names: Mapping[int, str] = self._model.names
        self._confidence = settings.confidence_threshold
        self._arguments: dict[str, Any] = {
            "iou": settings.iou_threshold,
            "max_det": MAX_DETECTIONS,
            "device": settings.device,
            "half": settings.precision == "f16",
            "verbose": False,
        }
        batch = settings.detector_batch or (1 if settings.device == "cpu" else GPU_BATCH)
        self._batcher = Batcher(self._predict, batch)
        versions = {"ultralytics": ultralytics.__version__, "torch": torch.__version__}
        self._facts = self._facts_of(path, settings, batch) | versions

    def detect(self, image: Image, wanted: Wanted = EVERYTHING) -> list[Detection]:
        """The wanted objects of one frame."""
        return self._batcher.result_of((image, wanted))

    def facts(self) -> Mapping[str, Any]:
        """Everything that the boxes depend on."""
        return self._facts

    def _facts_of(self, path: Path, settings: WorkerSettings, batch: int) -> dict[str, Any]:
        return {
            "backend": "ultralytics",
            "model": path.name,
            "model_sha256": model_sha256(path),
            "classes": [str(name) for name in self.names.values()],
            "device": settings.device,
            "precision": settings.precision,
            "batch": batch,
        }

    def _predict(self, calls: list[tuple[Image, Wanted]]) -> list[list[Detection]]:
        """One prediction of the whole batch for each choice in it: one, unless two jobs share the batch."""
        images = [image for image, _ in calls]
        answers = {wanted: self._found(images, wanted) for wanted in {wanted for _, wanted in calls}}
        return [answers[wanted][place] for place, (_, wanted) in enumerate(calls)]

    def _found(self, images: list[Image], wanted: Wanted) -> list[list[Detection]]:
        classes = None if wanted.class_ids is None else sorted(wanted.class_ids)
        confidence = wanted.threshold(self._confidence)
        results = self._model.predict(images, conf=confidence, classes=classes, **self._arguments)
        return [to_detections(one.boxes.data.cpu().tolist(), one.names, wanted) for one in results]


def _check_device(settings: WorkerSettings, cuda_devices: int) -> None:
    """Refuse settings for which Ultralytics would silently take the CPU or full precision."""
    if settings.device == "cpu":
        if settings.precision == "f16":
            raise SettingError("PRECISION=f16 needs a GPU with this model: set PRECISION=f32, or DEVICE")
        return
    index = settings.device.removeprefix("cuda").removeprefix(":") or "0"
    if not index.isdecimal() or int(index) >= cuda_devices:
        raise SettingError(
            f"DEVICE is {settings.device!r}, but this machine has {cuda_devices} CUDA devices: "
            "set DEVICE=cpu, or one of cuda:0, cuda:1, ..."
        )
