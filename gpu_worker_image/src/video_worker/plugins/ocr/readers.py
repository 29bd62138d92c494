"""Which engine reads the text of a job: that of the settings, or the one that the job chose."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from video_jobs.domain.errors import SettingError
from video_jobs.settings import WorkerSettings

from video_worker.plugins.ocr.engines import create_engine
from video_worker.plugins.ocr.reading import TextReader
from video_worker.plugins.ocr.tesseract_reader import TesseractReader

PPOCR, TESSERACT = "ppocr", "tesseract"
MOST_KEPT = 4
"""Readers in memory; each holds its models, and jobs may choose any combination of languages."""


@dataclass(frozen=True, slots=True)
class ReaderChoice:
    """An engine, and the languages of Tesseract; no language stands for that of the settings."""

    engine: str
    language: str = ""

    @classmethod
    def of_settings(cls, settings: WorkerSettings) -> Self:
        """What the settings name; ``auto`` is ppocr."""
        return cls(PPOCR if settings.ocr_engine in ("auto", PPOCR) else TESSERACT)

    @classmethod
    def of_job(cls, options: Mapping[str, Any], settings: WorkerSettings) -> Self:
        """What a job's ``text_engine`` and ``languages`` name; the settings decide what it leaves open.

        Raises
        ------
        SettingError
            If there is no such engine, or it has no choice of languages.
        """
        language = options.get("languages") or ""
        engine = options.get("text_engine") or (TESSERACT if language else cls.of_settings(settings).engine)
        if engine not in (PPOCR, TESSERACT):
            raise SettingError(f"text_engine must be {PPOCR} or {TESSERACT}, not {engine!r}")
        if language and engine != TESSERACT:
            raise SettingError(f"languages: only {TESSERACT} has them, {engine} has not")
        return cls(engine, "" if language == settings.ocr_language else language)


def make_reader(choice: ReaderChoice, settings: WorkerSettings) -> TextReader:
    """Load an engine.

    Raises
    ------
    SettingError
        If it or its data is not installed, because text would silently be empty.
    """
    if choice.engine == PPOCR:
        from video_worker.plugins.ocr.ppocr.reader import PpocrReader

        return PpocrReader(settings)
    return TesseractReader(create_engine(settings, choice.language), settings)


class Readers:
    """Makes each reader when it is first needed, and keeps the last `MOST_KEPT` that were used."""

    def __init__(
        self,
        settings: WorkerSettings,
        make: Callable[[ReaderChoice, WorkerSettings], TextReader] = make_reader,
    ) -> None:
        self._settings, self._make = settings, make
        self._lock = threading.Lock()
        self._kept: dict[ReaderChoice, TextReader] = {}

    def get(self, choice: ReaderChoice) -> TextReader:
        """The reader of a choice."""
        with self._lock:
            reader = self._kept.pop(choice, None) or self._make(choice, self._settings)
            self._kept[choice] = reader  # at the end of the order in which they were used
            if len(self._kept) > MOST_KEPT:
                del self._kept[next(iter(self._kept))]
        return reader
