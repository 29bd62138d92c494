"""The engine ``ppocr``: PP-OCR's models on OpenVINO."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from video_jobs.settings import WorkerSettings

from video_worker.inference.openvino_session import CpuUse, cpu_facts, openvino_version
from video_worker.plugins.ocr.ppocr.detection import LineFinder, TextMapper
from video_worker.plugins.ocr.ppocr.model_files import (
    detection_file,
    is_shipped,
    rapidocr_version,
    recognition_file,
    sha256_of,
)
from video_worker.plugins.ocr.ppocr.recognition import HEIGHT_PX, LineReader, Reading
from video_worker.plugins.ocr.ppocr.region_finder import lines_of_region
from video_worker.plugins.ocr.ppocr.scripts import scripts_of
from video_worker.plugins.ocr.ppocr.shapes import SMALLEST, STEP_PX
from video_worker.plugins.ocr.ppocr.text_map import LEAST_SCORE, THRESHOLD, UNCLIP
from video_worker.plugins.ocr.ppocr.words import words_of
from video_worker.plugins.ocr.reading import Area, Box, Line, Words
from video_worker.video.open_video import Image

RULES: Mapping[str, Any] = {
    "map_threshold": THRESHOLD,
    "line_score": LEAST_SCORE,
    "unclip": UNCLIP,
    "smallest_shape": list(SMALLEST),
    "shape_step": STEP_PX,
    "line_height": HEIGHT_PX,
}
"""What belongs to the models: with another value, other lines are found."""


class PpocrReader:
    """Holds both models, which are loaded once; a `TextReader`."""

    finds_in_areas = True

    def __init__(self, settings: WorkerSettings) -> None:
        detection, recognition = detection_file(settings), recognition_file(settings)
        use = CpuUse.in_f32(settings)
        self._min_confidence = settings.ocr_min_confidence
        self._mapper = TextMapper(detection, use)
        self._lines = LineReader(recognition, use, settings.ocr_scripts)
        if not is_shipped(detection):  # a model that somebody named must first show that it works
            self._mapper.prepare(SMALLEST)
        self._finder = LineFinder(self._mapper, settings.ocr_detection_side)
        self.language = "+".join(scripts_of(self._lines.characters))
        self._facts = {
            "engine": "ppocr",
            "detection_sha256": sha256_of(detection),
            "recognition_sha256": sha256_of(recognition),
            "scripts": settings.ocr_scripts,
            "detection_side": settings.ocr_detection_side,
            **RULES,
            **cpu_facts(use.precision),
            "openvino": openvino_version(),
            "rapidocr": rapidocr_version(),
        }

    def find(self, image: Image, areas: Sequence[Area]) -> list[Line]:
        """The lines that touch one of the areas."""
        return [Line(found.corners) for found in self._finder.find(image, areas)]

    def read(self, image: Image, lines: Sequence[Line]) -> list[Words]:
        """The words of each line."""
        return [self._words(image, self._lines.read(image, line.corners)) for line in lines]

    def read_regions(self, image: Image, boxes: Sequence[Box]) -> list[Words]:
        """The words in and around each box of an object."""
        return [self._region(image, box) for box in boxes]

    def _region(self, image: Image, box: Box) -> Words:
        lines = [Line(corners) for corners in lines_of_region(self._mapper, image, box)]
        read = [words for words in self.read(image, lines) if words]
        return [word | {"line_num": number} for number, words in enumerate(read, 1) for word in words]

    def facts(self) -> Mapping[str, Any]:
        """Everything that the text depends on."""
        return self._facts

    def _words(self, image: Image, reading: Reading) -> Words:
        return words_of(reading, (image.shape[0], image.shape[1]), self._min_confidence)
