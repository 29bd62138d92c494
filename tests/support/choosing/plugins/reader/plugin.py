"""Says of each frame how it was read; a job may choose that. It has the languages eng and deu."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from video_jobs.domain.errors import SettingError
from video_jobs.settings import WorkerSettings
from video_worker.dag_runner import Payload

from tests.support.function_plugin import FunctionPlugin

on_frame: list[Callable[[int], None]] = []


class ReaderPlugin(FunctionPlugin):
    def __init__(self, engine: str = "of the worker", languages: str = "eng") -> None:
        super().__init__({"read": self._read})
        self._facts = {"engine": engine, "languages": languages}

    def with_options(self, options: Mapping[str, Any]) -> ReaderPlugin:
        languages = options["languages"] or "eng"
        if set(languages.split("+")) - {"eng", "deu"}:
            raise SettingError(f"there is no {languages}.traineddata")
        return ReaderPlugin(options["text_engine"] or "of the worker", languages)

    def facts(self) -> dict[str, Any]:
        return self._facts

    def _read(self, payload: Payload) -> dict[str, Any]:
        for call in on_frame:
            call(payload["frame_index"])
        return {"read_by": " ".join(self._facts.values())}


def create_plugin(_: WorkerSettings) -> ReaderPlugin:
    return ReaderPlugin()
