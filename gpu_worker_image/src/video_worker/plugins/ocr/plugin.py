"""The plugin ``ocr``: its tools ``read`` and ``read_regions`` read text."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from itertools import groupby
from statistics import fmean
from typing import Any, Self

from video_jobs.settings import WorkerSettings

from video_worker.dag_runner import Payload, Tool
from video_worker.plugins.ocr.change_gate import ChangeGate, Gate, OpenGate
from video_worker.plugins.ocr.readers import ReaderChoice, Readers
from video_worker.plugins.ocr.reading import TextReader, Words
from video_worker.plugins.ocr.reading_order import in_reading_order
from video_worker.plugins.ocr.regions import without_doubles


class OcrPlugin:
    """Reads text with the engine of the settings or, `with_options`, with that of a job.

    Raises
    ------
    SettingError
        If the engine or its data is not installed.
    """

    def __init__(self, readers: Readers, settings: WorkerSettings, choice: ReaderChoice) -> None:
        self._readers, self._settings = readers, settings
        self._reader = readers.get(choice)

    def with_options(self, options: Mapping[str, Any]) -> OcrPlugin:
        """The plugin with a job's ``text_engine`` and ``languages``."""
        choice = ReaderChoice.of_job(options, self._settings)
        return OcrPlugin(self._readers, self._settings, choice)

    def tool(self, tool_id: str) -> Tool:
        """The tool ``read`` or ``read_regions``."""
        tools: dict[str, type[ReadTool] | type[ReadRegionsTool]] = {
            "read": ReadTool,
            "read_regions": ReadRegionsTool,
        }
        return tools[tool_id](self._reader, self._settings)

    def facts(self) -> Mapping[str, Any]:
        """Everything that the text depends on."""
        return {
            **self._reader.facts(),
            "min_confidence": self._settings.ocr_min_confidence,
            "change_gate": self._settings.ocr_change_gate,
            "region_classes": self._settings.ocr_region_classes,
        }


class _GatedTool:
    """The base of both tools: a reader, and the memory of a part."""

    def __init__(self, reader: TextReader, settings: WorkerSettings) -> None:
        self._reader, self._settings = reader, settings
        self._gate: Gate = ChangeGate(reader) if settings.ocr_change_gate else OpenGate(reader)

    def begin_part(self) -> Self:
        """The same tool with an empty memory."""
        return type(self)(self._reader, self._settings)

    def abort(self) -> None:
        """A frame of this part failed."""
        self._gate.abort()


class ReadTool(_GatedTool):
    """Reads the whole frame."""

    def run(self, payload: Payload) -> dict[str, Any]:
        """Read the frame.

        Returns
        -------
        dict
            ``text``: one line of output per line of text in the frame; ``blocks``: its words, with boxes in
            pixels of the frame; ``confidence``: their mean confidence (0-1); ``language``; ``error``: None.
        """
        lines = self._gate.lines_of_frame(payload["position"], payload["image"])
        return text_result(in_reading_order(lines), self._reader.language)


class ReadRegionsTool(_GatedTool):
    """Reads inside the boxes of chosen classes."""

    def run(self, payload: Payload) -> dict[str, Any]:
        """The same as `ReadTool.run`; ``block_num`` is the number of the region, from 1."""
        classes = self._settings.ocr_region_classes.split()
        boxes = [one["xyxy"] for one in payload["detections"] if one["class_name"] in classes]
        regions = self._gate.words_of_regions(payload["position"], payload["image"], without_doubles(boxes))
        lines = [
            [word | {"block_num": number} for word in line]
            for number, words in enumerate(regions, start=1)
            for _, line in groupby(words, lambda word: word["line_num"])
        ]
        return text_result(lines, self._reader.language)


def text_result(lines: Sequence[Words], language: str) -> dict[str, Any]:
    """The answer of both tools, from the words of each line.

    Characters that can be written in several ways are composed (Unicode's NFC), whatever the engine.
    """
    composed = [
        [word | {"text": unicodedata.normalize("NFC", word["text"])} for word in line] for line in lines
    ]
    blocks = [word for line in composed for word in line]
    return {
        "text": "\n".join(" ".join(word["text"] for word in line) for line in composed),
        "blocks": blocks,
        "confidence": fmean(block["confidence"] for block in blocks) / 100 if blocks else 0.0,
        "language": language,
        "error": None,
    }


def create_plugin(settings: WorkerSettings) -> OcrPlugin:
    """Load the engine that the settings name."""
    return OcrPlugin(Readers(settings), settings, ReaderChoice.of_settings(settings))
