"""Tesseract with its layout rules: lines are found by their letters, and each is read by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from video_jobs.settings import WorkerSettings

from video_worker.plugins.ocr.engines import GrayImage, OcrEngine, to_gray
from video_worker.plugins.ocr.reading import WORD_LEVEL, Area, Box, Line, Words, is_word
from video_worker.plugins.ocr.reading_order import box_around, numbered
from video_worker.plugins.ocr.regions import (
    AROUND,
    INSIDE,
    LINE_MARGIN,
    ONE_BLOCK,
    ONE_LINE,
    REGION_LETTER_SHARE,
    SEARCH_HEIGHT_PX,
    region_of,
)
from video_worker.plugins.ocr.text_lines import MAX_LETTER_SHARE, find_text_lines
from video_worker.video.open_video import Image

SHORT_WORD_CONFIDENCE = {1: 85.0, 2: 85.0, 3: 80.0}
"""Least confidence of words with so few letters and digits, because textures are often read as such."""
PAGE_LETTERS = 150
"""A frame with this many candidate letters may be a page of text."""
PAGE_LINE_LETTERS = 10
"""Only lines with this many letters count, because the textures of a street look like short lines."""
PAGE_WORDS = 30
"""It is a page if Tesseract's own layout finds this many words."""
AREA_MARGIN_PX, AREA_STEP_PX = 20, 5
"""Around an area: the threshold of a letter depends on the pixels around it. The corners are multiples of the
step, so that a frame that is scaled down has the same pixels there."""
_COLUMNS = 12
_BLOCK_TO_LINE = slice(2, 5)


class TesseractReader:
    """A `TextReader`.

    The layout ``lines`` finds lines of text and reads each by itself; ``page`` leaves the layout to
    Tesseract, which suits documents and slides. ``auto`` chooses ``page`` if the whole frame is searched and
    full of text, and ``lines`` otherwise.
    """

    def __init__(self, engine: OcrEngine, settings: WorkerSettings) -> None:
        self._engine = engine
        self._layout = settings.ocr_layout
        self._min_confidence = settings.ocr_min_confidence
        self.language: str = engine.language
        self.finds_in_areas = settings.ocr_layout != "page"

    def find(self, image: Image, areas: Sequence[Area]) -> list[Line]:
        """The lines in some areas; those of a page with their words."""
        height, width = image.shape[:2]
        if list(areas) == [(0, 0, width, height)]:
            return self._find_on_frame(to_gray(image))
        return [line for area in areas for line in _find_in_area(image, area)]

    def read(self, image: Image, lines: Sequence[Line]) -> list[Words]:
        """The words of each line."""
        return [self._read_line(image, line.box) for line in lines]

    def read_regions(self, image: Image, boxes: Sequence[Box]) -> list[Words]:
        """The words of each region, read at the size that Tesseract reads best."""
        return [self._read_region(image, box) for box in boxes]

    def facts(self) -> Mapping[str, Any]:
        """Engine, versions, language data and layout."""
        return {**self._engine.facts(), "layout": self._layout}

    def _find_on_frame(self, gray: GrayImage) -> list[Line]:
        if self._layout == "page":
            return self._page(gray)
        found = find_text_lines(gray)
        letters = sum(line.letters for line in found if line.letters >= PAGE_LINE_LETTERS)
        if self._layout == "auto" and letters >= PAGE_LETTERS:
            page = self._page(gray)
            if sum(len(line.words or []) for line in page) >= PAGE_WORDS:
                return page
        return [Line.upright(line.xyxy, line.letters) for line in found]

    def _page(self, gray: GrayImage) -> list[Line]:
        """The lines in Tesseract's own layout, with its numbers of blocks and lines."""
        rows = self._rows(gray)
        lines = [[_word(row) for row in group] for _, group in groupby(rows, lambda row: row[_BLOCK_TO_LINE])]
        return [Line.upright(box_around(words), words=words) for words in lines]

    def _read_line(self, image: Image | GrayImage, box: Box) -> Words:
        region = region_of(image, box, LINE_MARGIN)
        if region is None:
            return []
        return [_without_numbers(region.in_frame(word)) for word in self._words(region.pixels, ONE_LINE)]

    def _read_region(self, image: Image, box: Box) -> Words:
        """The lines of text in and around the box or, if there are none, its inside as one block."""
        around = region_of(image, box, AROUND, SEARCH_HEIGHT_PX)
        if around is None:
            return []
        lines = find_text_lines(around.pixels, REGION_LETTER_SHARE)
        words = [self._read_line(around.pixels, line.xyxy) for line in lines]
        found = [around.in_frame(word) for word in numbered(words, "line_num")]
        inside = region_of(image, box, INSIDE)
        if found or inside is None:
            return found
        return [inside.in_frame(word) for word in self._words(inside.pixels, ONE_BLOCK)]

    def _words(self, pixels: GrayImage, page_segmentation: int) -> Words:
        return [_word(row) for row in self._rows(pixels, page_segmentation)]

    def _rows(self, pixels: GrayImage, page_segmentation: int | None = None) -> list[list[str]]:
        return _rows_of_words(self._engine.read_tsv(pixels, page_segmentation), self._min_confidence)


def _find_in_area(image: Image, area: Area) -> list[Line]:
    """The lines that stand in an area, at least in part."""
    height = image.shape[0]
    left, top = (max(0, start - AREA_MARGIN_PX) // AREA_STEP_PX * AREA_STEP_PX for start in area[:2])
    right, bottom = area[2] + AREA_MARGIN_PX, area[3] + AREA_MARGIN_PX
    part = to_gray(image[top:bottom, left:right])
    lines = []
    for found in find_text_lines(part, MAX_LETTER_SHARE * height / part.shape[0]):
        x1, y1, x2, y2 = found.xyxy
        box = [x1 + left, y1 + top, x2 + left, y2 + top]
        if box[0] < area[2] and area[0] < box[2] and box[1] < area[3] and area[1] < box[3]:
            lines.append(Line.upright(box, found.letters))
    return lines


def words_of_tsv(tsv: str, min_confidence: float) -> Words:
    """The words of Tesseract's TSV that are read with at least ``min_confidence`` (0-100).

    A word has at least one letter or digit; if it has only a few, it needs `SHORT_WORD_CONFIDENCE`.
    """
    return [_word(row) for row in _rows_of_words(tsv, min_confidence)]


def _rows_of_words(tsv: str, min_confidence: float) -> list[list[str]]:
    """The columns of each word.

    They are: level, page, block, paragraph, line, word, left, top, width, height, confidence, text.
    """
    rows = (line.split("\t", _COLUMNS - 1) for line in tsv.splitlines())
    words = (row for row in rows if len(row) == _COLUMNS and row[0] == str(WORD_LEVEL))
    return [row for row in words if is_word(row[11], float(row[10]), min_confidence, SHORT_WORD_CONFIDENCE)]


def _word(row: list[str]) -> dict[str, Any]:
    x, y, width, height = (int(value) for value in row[6:10])
    return {
        "text": row[11].strip(),
        "confidence": round(float(row[10]), 2),
        "bbox": {"x": x, "y": y, "width": width, "height": height},
        "level": WORD_LEVEL,
        "block_num": int(row[2]),
        "line_num": int(row[4]),
    }


def _without_numbers(word: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in word.items() if name not in {"block_num", "line_num"}}
