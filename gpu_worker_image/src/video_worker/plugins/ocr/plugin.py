"""The plugin ``ocr``: its tool ``read`` reads text."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import Any

import cv2
import numpy as np
from video_jobs.settings import WorkerSettings

from video_worker.dag_runner import Payload, Tool
from video_worker.plugins.ocr.engines import OcrEngine, create_engine

WORD_LEVEL = 5
_COLUMNS = 12


class OcrPlugin:
    """Holds the engine."""

    def __init__(self, engine: OcrEngine, language: str, min_confidence: float) -> None:
        self._engine = engine
        self._language = language
        self._min_confidence = min_confidence

    def tool(self, tool_id: str) -> Tool:
        """The tool ``read``."""
        return {"read": ReadTool(self._engine, self._language, self._min_confidence)}[tool_id]

    def facts(self) -> Mapping[str, Any]:
        """What the text depends on."""
        return {**self._engine.facts(), "min_confidence": self._min_confidence}


class ReadTool:
    """Reads the whole frame."""

    def __init__(self, engine: OcrEngine, language: str, min_confidence: float) -> None:
        self._engine = engine
        self._language = language
        self._min_confidence = min_confidence

    def run(self, payload: Payload) -> dict[str, Any]:
        """``text`` with a line a line, its word ``blocks``, their mean ``confidence`` (0-1), ``language``."""
        gray = cv2.cvtColor(payload["image"], cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
        blocks = words_of_tsv(self._engine.read_tsv(gray), self._min_confidence)
        return {
            "text": text_of(blocks),
            "blocks": blocks,
            "confidence": fmean(block["confidence"] for block in blocks) / 100 if blocks else 0.0,
            "language": self._language,
            "error": None,
        }


def words_of_tsv(tsv: str, min_confidence: float) -> list[dict[str, Any]]:
    """The words of Tesseract's TSV that are read with at least ``min_confidence`` (0-100).

    Columns: level, page, block, paragraph, line, word, left, top, width, height, confidence, text.
    """
    rows = (line.split("\t", _COLUMNS - 1) for line in tsv.splitlines())
    words = (row for row in rows if len(row) == _COLUMNS and row[0] == str(WORD_LEVEL) and row[11].strip())
    return [_block(row) for row in words if float(row[10]) >= min_confidence]


def text_of(blocks: list[dict[str, Any]]) -> str:
    """Words of a line joined by spaces, lines by line feeds."""
    lines: dict[tuple[int, int], list[str]] = {}
    for block in blocks:
        lines.setdefault((block["block_num"], block["line_num"]), []).append(block["text"])
    return "\n".join(" ".join(words) for words in lines.values())


def create_plugin(settings: WorkerSettings) -> OcrPlugin:
    """Make the engine that the settings name."""
    return OcrPlugin(create_engine(settings), settings.ocr_language, settings.ocr_min_confidence)


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
