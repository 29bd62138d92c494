"""The loop that a user writes by hand, as it comes and tuned."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
from video_worker.plugins.yolo.ultralytics_environment import quiet_ultralytics
from video_worker.video_reader import Image

WORD_LEVEL = 5


class HandLoop:
    """``VideoCapture.read()``, ``YOLO(model)(frame)``, ``pytesseract.image_to_data(frame)``.

    Parameters
    ----------
    model
        What `ultralytics.YOLO` takes: ``.pt``, or an OpenVINO export for the tuned loop.
    omp_threads
        ``OMP_THREAD_LIMIT`` for Tesseract; None leaves it alone.
    """

    def __init__(self, model: Path, omp_threads: int | None) -> None:
        quiet_ultralytics()
        import ultralytics

        self._model = ultralytics.YOLO(str(model), task="detect")
        self._omp_threads = omp_threads

    def run(self, path: Path, max_frames: int) -> list[list[str]]:
        """The words of each frame."""
        import pytesseract

        words = []
        with _omp_thread_limit(self._omp_threads):
            for frame in islice(frames_of(path), max_frames):
                self._model(frame, verbose=False)
                data = pytesseract.image_to_data(frame, output_type=pytesseract.Output.DICT)
                words.append(_words(data))
        return words


def frames_of(path: Path) -> Iterator[Image]:
    """Every frame, read in a plain loop."""
    capture = cv2.VideoCapture(str(path))
    try:
        while True:
            decoded, frame = capture.read()
            if not decoded:
                return
            yield frame  # type: ignore[misc]
    finally:
        capture.release()


def random_weights(folder: Path) -> Path:
    """A YOLO11n in PyTorch format: how long it takes does not depend on its weights."""
    quiet_ultralytics()
    import ultralytics

    path = folder / "yolo11n_random.pt"
    ultralytics.YOLO("yolo11n.yaml", task="detect").save(str(path))
    return path


def default_precision(model: Path) -> str:
    """The float precision that OpenVINO takes for a model on this machine, where nobody pins it."""
    import openvino

    compiled = openvino.Core().compile_model(next(model.glob("*.xml")), "CPU")
    return str(compiled.get_property("INFERENCE_PRECISION_HINT")).split("'")[1]


def _words(data: Mapping[str, list[Any]]) -> list[str]:
    rows = zip(data["level"], data["conf"], data["text"], strict=True)
    return [
        text for level, confidence, text in rows if level == WORD_LEVEL and confidence > 0 and text.strip()
    ]


@contextmanager
def _omp_thread_limit(threads: int | None) -> Iterator[None]:
    """For the processes started inside; our own engine sets it too, so it is put back as it was."""
    before = os.environ.pop("OMP_THREAD_LIMIT", None)
    if threads is not None:
        os.environ["OMP_THREAD_LIMIT"] = str(threads)
    try:
        yield
    finally:
        os.environ.pop("OMP_THREAD_LIMIT", None)
        if before is not None:
            os.environ["OMP_THREAD_LIMIT"] = before
