"""The three ways to analyse a video: a loop as a user writes it, the same loop tuned, and our pipeline."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
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
        with patch.dict(os.environ):
            os.environ.pop("OMP_THREAD_LIMIT", None)
            os.environ.update(self._tesseract)
            return [self._words_of(frame) for frame in islice(frames_of(path), max_frames)]

    def _words_of(self, frame: Any) -> list[str]:
        self._model(frame, verbose=False)
        data = pytesseract.image_to_data(frame, output_type=pytesseract.Output.DICT)
        rows = zip(data["level"], data["conf"], data["text"], strict=True)
        return [word for level, sure, word in rows if level == _WORD_LEVEL and sure > 0 and word.strip()]


def settings_for(model: Path, **further: str) -> WorkerSettings:
    return WorkerSettings.from_environment({"MODEL_PATH": str(model), **further})


def our_pipeline(model: Path) -> VideoFilePipelineService:
    service = VideoFilePipelineService.from_settings(settings_for(model))
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
