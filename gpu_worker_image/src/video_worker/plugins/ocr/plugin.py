"""The plugin ``ocr``: its tool ``read`` reads text."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import Any

import cv2
import numpy as np
from video_jobs.settings import WorkerSettings

from video_worker.dag_runner import Payload, Tool
from video_worker.plugins.ocr.engines import GrayImage, OcrEngine, create_engine
from video_worker.plugins.ocr.regions import (
    AROUND,
    INSIDE,
    LINE_MARGIN,
    ONE_BLOCK,
    ONE_LINE,
    REGION_LETTER_SHARE,
    SEARCH_HEIGHT_PX,
    region_of,
    without_doubles,
)
from video_worker.plugins.ocr.text_lines import TextLine, find_text_lines
from video_worker.video_reader import Image

WORD_LEVEL = 5
SHORT_WORD_CONFIDENCE = 85.0
PAGE_LETTERS = 150
"""A frame with this many candidate letters may be a page of text ..."""
PAGE_WORDS = 30
"""... and is one when Tesseract's own layout finds this many words."""
_SHORT_WORD = 2
_COLUMNS = 12


class OcrPlugin:
    """Holds the engine."""

    def __init__(self, engine: OcrEngine, settings: WorkerSettings) -> None:
        self._engine = engine
        self._settings = settings

    def tool(self, tool_id: str) -> Tool:
        """``read`` the whole frame, or ``read_regions`` of it."""
        tools: dict[str, type[ReadTool] | type[ReadRegionsTool]] = {
            "read": ReadTool,
            "read_regions": ReadRegionsTool,
        }
        return tools[tool_id](self._engine, self._settings)

    def facts(self) -> Mapping[str, Any]:
        """What the text depends on."""
        return {
            **self._engine.facts(),
            "min_confidence": self._settings.ocr_min_confidence,
            "layout": self._settings.ocr_layout,
            "region_classes": self._settings.ocr_region_classes,
        }


class ReadTool:
    """Reads the whole frame.

    Layout ``lines`` finds lines of text and reads each by itself, ``page`` leaves the layout to
    Tesseract, which suits documents and slides; ``auto`` takes ``page`` for a frame that is full of
    text, and ``lines`` otherwise.
    """

    def __init__(self, engine: OcrEngine, settings: WorkerSettings) -> None:
        self._reader = WordReader(engine, settings.ocr_min_confidence)
        self._language = settings.ocr_language
        self._layout = settings.ocr_layout

    def run(self, payload: Payload) -> dict[str, Any]:
        """``text`` with a line a line, its word ``blocks``, their mean ``confidence`` (0-1), ``language``."""
        return text_result(self._blocks(to_gray(payload["image"])), self._language)

    def _blocks(self, gray: GrayImage) -> list[dict[str, Any]]:
        if self._layout == "page":
            return self._reader.read(gray)
        lines = find_text_lines(gray)
        if self._layout == "auto" and sum(line.letters for line in lines) >= PAGE_LETTERS:
            blocks = self._reader.read(gray)
            if len(blocks) >= PAGE_WORDS:
                return blocks
        return self._reader.read_lines(gray, lines)


class ReadRegionsTool:
    """Reads inside the boxes of chosen classes, each at the size that Tesseract reads best."""

    def __init__(self, engine: OcrEngine, settings: WorkerSettings) -> None:
        self._reader = WordReader(engine, settings.ocr_min_confidence)
        self._language = settings.ocr_language
        self._classes = frozenset(settings.ocr_region_classes.split())

    def run(self, payload: Payload) -> dict[str, Any]:
        """The same as `ReadTool.run`, blocks in pixels of the frame; ``block_num`` counts the regions."""
        gray = to_gray(payload["image"])
        boxes = [one["xyxy"] for one in payload["detections"] if one["class_name"] in self._classes]
        blocks: list[dict[str, Any]] = []
        for number, box in enumerate(without_doubles(boxes), start=1):
            blocks += [block | {"block_num": number} for block in self._read(gray, box)]
        return text_result(blocks, self._language)

    def _read(self, gray: GrayImage, box: list[float]) -> list[dict[str, Any]]:
        """The lines of text in and around the box; where none is found, the inside as one block."""
        around = region_of(gray, box, AROUND, SEARCH_HEIGHT_PX)
        if around is None:
            return []
        lines = find_text_lines(around.pixels, REGION_LETTER_SHARE)
        found = [around.in_frame(word) for word in self._reader.read_lines(around.pixels, lines)]
        inside = region_of(gray, box, INSIDE)
        if found or inside is None:
            return found
        return [inside.in_frame(word) for word in self._reader.read(inside.pixels, ONE_BLOCK)]


class WordReader:
    """Words of an image or of its lines, by one engine and one least confidence."""

    def __init__(self, engine: OcrEngine, min_confidence: float) -> None:
        self._engine = engine
        self._min_confidence = min_confidence

    def read(self, pixels: GrayImage, page_segmentation: int | None = None) -> list[dict[str, Any]]:
        """The words of the whole image."""
        return words_of_tsv(self._engine.read_tsv(pixels, page_segmentation), self._min_confidence)

    def read_lines(self, pixels: GrayImage, lines: list[TextLine]) -> list[dict[str, Any]]:
        """The words of each line, in pixels of the image; ``block_num`` counts the lines."""
        words: list[dict[str, Any]] = []
        for number, line in enumerate(lines, start=1):
            region = region_of(pixels, line.xyxy, LINE_MARGIN)
            if region is not None:
                found = self.read(region.pixels, ONE_LINE)
                words += [region.in_frame(word) | {"block_num": number} for word in found]
        return words


def to_gray(image: Image) -> GrayImage:
    """BGR to grey."""
    return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)


def text_result(blocks: list[dict[str, Any]], language: str) -> dict[str, Any]:
    """What both tools answer."""
    return {
        "text": text_of(blocks),
        "blocks": blocks,
        "confidence": fmean(block["confidence"] for block in blocks) / 100 if blocks else 0.0,
        "language": language,
        "error": None,
    }


def words_of_tsv(tsv: str, min_confidence: float) -> list[dict[str, Any]]:
    """The words of Tesseract's TSV that are read with at least ``min_confidence`` (0-100).

    A word has a letter or a digit; one of only one or two of them needs `SHORT_WORD_CONFIDENCE`, since
    textures are often read as such. Columns: level, page, block, paragraph, line, word, left, top, width,
    height, confidence, text.
    """
    rows = (line.split("\t", _COLUMNS - 1) for line in tsv.splitlines())
    words = (row for row in rows if len(row) == _COLUMNS and row[0] == str(WORD_LEVEL))
    return [_block(row) for row in words if _is_word(row[11], float(row[10]), min_confidence)]


def _is_word(text: str, confidence: float, min_confidence: float) -> bool:
    signs = sum(character.isalnum() for character in text)
    needed = max(min_confidence, SHORT_WORD_CONFIDENCE) if signs <= _SHORT_WORD else min_confidence
    return signs > 0 and confidence >= needed


def text_of(blocks: list[dict[str, Any]]) -> str:
    """Words of a line joined by spaces, lines by line feeds."""
    lines: dict[tuple[int, int], list[str]] = {}
    for block in blocks:
        lines.setdefault((block["block_num"], block["line_num"]), []).append(block["text"])
    return "\n".join(" ".join(words) for words in lines.values())


def create_plugin(settings: WorkerSettings) -> OcrPlugin:
    """Make the engine that the settings name."""
    return OcrPlugin(create_engine(settings), settings)


def _block(row: list[str]) -> dict[str, Any]:
    x, y, width, height = (int(value) for value in row[6:10])
    return {
        "text": row[11].strip(),
        "confidence": round(float(row[10]), 2),
        "bbox": {"x": x, "y": y, "width": width, "height": height},
        "level": WORD_LEVEL,
        "block_num": int(row[2]),
        "line_num": int(row[4]),
    }
