"""Plugins in a process of their own, so that one that crashes or hangs is a problem like any other."""

from __future__ import annotations

import json
import multiprocessing
import signal
import traceback
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

from pebble import ProcessExpired, ProcessPool
from video_jobs.domain.errors import VideoJobsError
from video_jobs.settings import WorkerSettings
from video_worker.dag_runner import RememberingTool
from video_worker.plugin_registry import Manifest, Plugin, create_plugin

from tools.governance.tool_answers import ToolAnswer, answer_of

_loaded: dict[Path, Plugin] = {}
"""What the plugins' own process has loaded."""


class PluginProcess:
    """One process that loads each plugin once; pebble replaces it when it died or took too long."""

    def __init__(self, settings: WorkerSettings, limit_s: float) -> None:
        self._settings = settings
        self._limit_s = limit_s
        self._pool = ProcessPool(1, context=multiprocessing.get_context("spawn"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.stop()
        self._pool.join()

    def ask(
        self, manifest: Manifest, tool_id: str = "", payload: Mapping[str, Any] | None = None
    ) -> ToolAnswer:
        """Run a tool, or only load its plugin; if there is no answer, the reason is its problem."""
        question = (self._settings, manifest, tool_id, payload)
        future = self._pool.schedule(_guarded_answer, question, timeout=self._limit_s)
        try:
            answer: ToolAnswer = future.result()
            return answer
        except TimeoutError:
            return ToolAnswer({}, (f"it gave no answer within {self._limit_s:g} s",))
        except ProcessExpired as error:
            code = error.exitcode
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            return ToolAnswer({}, (f"it takes the whole process down ({how})",))


def _guarded_answer(*question: Any) -> ToolAnswer:
    """Answer in a thread, as the worker does; its future holds whatever a plugin raises, even SystemExit."""
    with ThreadPoolExecutor(1) as thread:
        future = thread.submit(_answer, *question)
        error = future.exception()
    return future.result() if error is None else ToolAnswer({}, (_sentence(error),))


def _answer(
    settings: WorkerSettings, manifest: Manifest, tool_id: str, payload: Mapping[str, Any]
) -> ToolAnswer:
    if manifest.folder not in _loaded:
        _loaded[manifest.folder] = create_plugin(manifest, settings)
    plugin = _loaded[manifest.folder]
    if not tool_id:
        json.dumps(plugin.facts(), sort_keys=True)  # as the fingerprint of a pipeline does
        return ToolAnswer({})
    tool = plugin.tool(tool_id)
    fresh = tool.begin_part() if isinstance(tool, RememberingTool) else tool
    return answer_of(fresh.run(payload), manifest.tools[tool_id]["output_types"])


def _sentence(error: BaseException) -> str:
    if isinstance(error, VideoJobsError):
        return error.message
    *_, last = traceback.extract_tb(error.__traceback__)
    return f"it raises {type(error).__name__}: {error} ({Path(last.filename).name}, line {last.lineno})"
