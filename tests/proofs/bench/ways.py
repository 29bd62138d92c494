"""The ways to analyse a video: a loop as a user writes it, the same loop tuned, and ours with each engine."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any
from unittest.mock import patch

import openvino
import pytesseract
from video_jobs.settings import WorkerSettings
from video_worker.pipeline_service import VideoFilePipelineService
from video_worker.plugins.yolo.ultralytics_environment import quiet_ultralytics

from tests.proofs.bench.clips import frames_of
from tests.proofs.bench.scenes.scoring import Reading

ENGINES: dict[str, dict[str, str]] = {
    "tesserocr": {"OCR_ENGINE": "tesserocr"},
    "ppocr": {"OCR_ENGINE": "ppocr"},
    "ppocr_f32": {"OCR_ENGINE": "ppocr", "OCR_DETECTION_MODEL": "f32"},
}
"""Our ways: the settings of the worker that each has besides its model."""
TUNED = {"OMP_THREAD_LIMIT": "1"}
_WORD_LEVEL = 5


class HandLoop:
    """``VideoCapture.read()``, ``YOLO(model)(frame)``, ``pytesseract.image_to_data(frame)``.

    Parameters
    ----------
    model
        What `ultralytics.YOLO` takes: ``.pt``, or an OpenVINO export for the tuned loop.
    tesseract
        The environment of Tesseract; our own engine sets ``OMP_THREAD_LIMIT``, which this replaces.
    """

    def __init__(self, model: Path, tesseract: Mapping[str, str]) -> None:
        quiet_ultralytics()
        import ultralytics

        self._model = ultralytics.YOLO(str(model), task="detect")
        self._tesseract = tesseract

    def run(self, path: Path, max_frames: int) -> list[list[str]]:
        with tesseract_environment(self._tesseract):
            return [self._words_of(frame) for frame in islice(frames_of(path), max_frames)]

    def _words_of(self, frame: Any) -> list[str]:
        self._model(frame, verbose=False)
        return [reading.text for reading in _tesseract_readings(frame)]


def tesseract_words(path: Path, environment: Mapping[str, str]) -> list[list[Reading]]:
    """The words of a hand-written loop, without its detector; several frames at once, to save time."""
    with tesseract_environment(environment), ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(_tesseract_readings, frames_of(path)))


@contextmanager
def tesseract_environment(environment: Mapping[str, str]) -> Iterator[None]:
    """Tesseract's environment as a user has it: our own engine sets ``OMP_THREAD_LIMIT``."""
    with patch.dict(os.environ):
        os.environ.pop("OMP_THREAD_LIMIT", None)
        os.environ.update(environment)
        yield


def _tesseract_readings(frame: Any) -> list[Reading]:
    data = pytesseract.image_to_data(frame, output_type=pytesseract.Output.DICT)
    places = zip(data["left"], data["top"], data["width"], data["height"], strict=True)
    return [
        Reading(text, [left, top, left + width, top + height])
        for level, sure, text, (left, top, width, height) in zip(
            data["level"], data["conf"], data["text"], places, strict=True
        )
        if level == _WORD_LEVEL and sure > 0 and text.strip()
    ]


def settings_for(model: Path, **further: str) -> WorkerSettings:
    return WorkerSettings.from_environment({"MODEL_PATH": str(model), **further})


def our_pipeline(model: Path, **further: str) -> VideoFilePipelineService:
    service = VideoFilePipelineService.from_settings(settings_for(model, **further))
    service.warm_up()
    return service


def random_weights(folder: Path) -> Path:
    """A YOLO11n in PyTorch format: how long it takes does not depend on its weights."""
    quiet_ultralytics()
    import ultralytics

    path = folder / "yolo11n_random.pt"
    ultralytics.YOLO("yolo11n.yaml", task="detect").save(str(path))
    return path


def default_precision(model: Path) -> str:
    """The float precision that OpenVINO takes by itself for a model on this machine."""
    compiled = openvino.Core().compile_model(next(model.glob("*.xml")), "CPU")
    return str(compiled.get_property("INFERENCE_PRECISION_HINT")).split("'")[1]


@contextmanager
def predict_in_f32() -> Iterator[None]:
    """Have Ultralytics compile in the precision that ours is pinned to; by itself it follows the host."""
    compile_model = openvino.Core.compile_model

    def in_f32(core: Any, model: Any, device_name: Any = None, config: Any = None, **further: Any) -> Any:
        pinned = {**(config or {}), "INFERENCE_PRECISION_HINT": "f32"}
        return compile_model(core, model, device_name, pinned, **further)

    with patch.object(openvino.Core, "compile_model", in_f32):
        yield
