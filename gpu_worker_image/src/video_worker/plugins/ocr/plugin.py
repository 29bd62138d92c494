"""The plugin ``ocr``: its tools ``read`` and ``read_regions`` read text."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import Any, Self

import cv2
import numpy as np
from video_jobs.settings import WorkerSettings

from video_worker.dag_runner import Payload, Tool
from video_worker.plugins.ocr.change_gate import Box, ChangeGate, Look, OpenGate, Words, numbered
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
from video_worker.video.open_video import Image

WORD_LEVEL = 5
SHORT_WORD_CONFIDENCE = {1: 85.0, 2: 85.0, 3: 80.0}
"""Least confidence of words with so few letters and digits, because textures are often read as such."""
PAGE_LETTERS = 150
"""A frame with this many candidate letters may be a page of text."""
PAGE_LINE_LETTERS = 10
"""Only lines with this many letters count, because the textures of a street look like short lines."""
PAGE_WORDS = 30
"""It is a page if Tesseract's own layout finds this many words."""
_COLUMNS = 12


class OcrPlugin:
    """Holds the engine, which is loaded once."""

    def __init__(self, engine: OcrEngine, settings: WorkerSettings) -> None:
        self._engine = engine
        self._settings = settings

    def tool(self, tool_id: str) -> Tool:
        """The tool ``read`` or ``read_regions``."""
        tools: dict[str, type[ReadTool] | type[ReadRegionsTool]] = {
            "read": ReadTool,
            "read_regions": ReadRegionsTool,
        }
        return tools[tool_id](self._engine, self._settings)

    def facts(self) -> Mapping[str, Any]:
        """Everything that the text depends on."""
        return {
            **self._engine.facts(),
            "min_confidence": self._settings.ocr_min_confidence,
            "layout": self._settings.ocr_layout,
            "change_gate": self._settings.ocr_change_gate,
            "region_classes": self._settings.ocr_region_classes,
        }


class _GatedTool:
    """The base of both tools: a reader, and the memory of a part."""

    def __init__(self, engine: OcrEngine, settings: WorkerSettings) -> None:
        self._engine, self._settings = engine, settings
        self._reader = WordReader(engine, settings.ocr_min_confidence)
        self._language = settings.ocr_language
        self._gate = ChangeGate() if settings.ocr_change_gate else OpenGate()

    def begin_part(self) -> Self:
        """The same tool with an empty memory."""
        return type(self)(self._engine, self._settings)

    def abort(self) -> None:
        """A frame of this part failed."""
        self._gate.abort()


class ReadTool(_GatedTool):
    """Reads the whole frame.

    The layout ``lines`` finds lines of text and reads each by itself; ``page`` leaves the layout to
    Tesseract, which suits documents and slides. ``auto`` chooses ``page`` if the frame is full of text,
    and ``lines`` otherwise.
    """

    def run(self, payload: Payload) -> dict[str, Any]:
        """Read the frame.

        Returns
        -------
        dict
            ``text``: one line of output per line of text in the frame; ``blocks``: its words, with boxes in
            pixels of the frame; ``confidence``: their mean confidence (0-1); ``language``; ``error``: None.
        """
        gray, position = to_gray(payload["image"]), payload["position"]
        blocks = self._gate.words_of_frame(
            position, gray, lambda: self._look(gray), lambda box: self._reader.read_line(gray, box)
        )
        return text_result(blocks, self._language)

    def _look(self, gray: GrayImage) -> Look:
        lines = [] if self._settings.ocr_layout == "page" else find_text_lines(gray)
        page = self._page(gray, lines)
        return Look(page, [] if page else [line.xyxy for line in lines])

    def _page(self, gray: GrayImage, lines: list[TextLine]) -> Words:
        """The words in Tesseract's own layout, if the frame is a page; otherwise none."""
        layout = self._settings.ocr_layout
        if layout == "page":
            return self._reader.read(gray)
        letters = sum(line.letters for line in lines if line.letters >= PAGE_LINE_LETTERS)
        if layout == "lines" or letters < PAGE_LETTERS:
            return []
        words = self._reader.read(gray)
        return words if len(words) >= PAGE_WORDS else []


class ReadRegionsTool(_GatedTool):
    """Reads inside the boxes of chosen classes, each at the size that Tesseract reads best."""

    def run(self, payload: Payload) -> dict[str, Any]:
        """The same as `ReadTool.run`; ``block_num`` is the number of the region, from 1."""
        gray, classes = to_gray(payload["image"]), self._settings.ocr_region_classes.split()
        boxes = [one["xyxy"] for one in payload["detections"] if one["class_name"] in classes]
        found = self._gate.words_of_places(
            payload["position"], gray, without_doubles(boxes), lambda box: self._read(gray, box)
        )
        return text_result(numbered(found), self._language)

    def _read(self, gray: GrayImage, box: Box) -> Words:
        """The lines of text in and around the box or, if there are none, its inside as one block."""
        around = region_of(gray, box, AROUND, SEARCH_HEIGHT_PX)
        if around is None:
            return []
        lines = find_text_lines(around.pixels, REGION_LETTER_SHARE)
        words = [self._reader.read_line(around.pixels, line.xyxy) for line in lines]
        found = [around.in_frame(word) for word in numbered(words, "line_num")]
        inside = region_of(gray, box, INSIDE)
        if found or inside is None:
            return found
        return [inside.in_frame(word) for word in self._reader.read(inside.pixels, ONE_BLOCK)]


class WordReader:
    """Reads the words of an image or of its lines that have a least confidence."""

    def __init__(self, engine: OcrEngine, min_confidence: float) -> None:
        self._engine = engine
        self._min_confidence = min_confidence

    def read(self, pixels: GrayImage, page_segmentation: int | None = None) -> list[dict[str, Any]]:
        """The words of the whole image."""
        return words_of_tsv(self._engine.read_tsv(pixels, page_segmentation), self._min_confidence)

    def read_line(self, pixels: GrayImage, box: Box) -> Words:
        """The words of one line, with boxes in pixels of the image."""
        region = region_of(pixels, box, LINE_MARGIN)
        if region is None:
            return []
        return [region.in_frame(word) for word in self.read(region.pixels, ONE_LINE)]


def to_gray(image: Image) -> GrayImage:
    """BGR to grey."""
    return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)


def text_result(blocks: list[dict[str, Any]], language: str) -> dict[str, Any]:
    """The answer of both tools."""
    return {
        "text": text_of(blocks),
        "blocks": blocks,
        "confidence": fmean(block["confidence"] for block in blocks) / 100 if blocks else 0.0,
        "language": language,
        "error": None,
    }


def words_of_tsv(tsv: str, min_confidence: float) -> list[dict[str, Any]]:
    """The words of Tesseract's TSV that are read with at least ``min_confidence`` (0-100).

    A word has at least one letter or digit; if it has only a few, it needs `SHORT_WORD_CONFIDENCE`. Columns:
    level, page, block, paragraph, line, word, left, top, width, height, confidence, text.
    """
    rows = (line.split("\t", _COLUMNS - 1) for line in tsv.splitlines())
    words = (row for row in rows if len(row) == _COLUMNS and row[0] == str(WORD_LEVEL))
    return [_block(row) for row in words if _is_word(row[11], float(row[10]), min_confidence)]


def _is_word(text: str, confidence: float, min_confidence: float) -> bool:
    signs = sum(character.isalnum() for character in text)
    return signs > 0 and confidence >= max(min_confidence, SHORT_WORD_CONFIDENCE.get(signs, 0.0))


def text_of(blocks: list[dict[str, Any]]) -> str:
    """The text of some blocks: words of a line are joined by spaces, lines by line feeds."""
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
