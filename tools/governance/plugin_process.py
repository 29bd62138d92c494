"""Plugins in a process of their own, so that one that crashes or hangs is a problem like any other."""

from __future__ import annotations

import json
import multiprocessing
import signal
import traceback
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from video_jobs.domain.errors import VideoJobsError
from video_jobs.settings import WorkerSettings
from video_worker.dag_runner import RememberingTool
from video_worker.plugin_registry import Manifest, Plugin, create_plugin

from tools.governance.tool_answers import ToolAnswer, answer_of

Question = tuple[Manifest, str, Mapping[str, Any]]


class PluginProcess(AbstractContextManager["PluginProcess"]):
    """Started with the first question, and again after it was lost; it loads each plugin once."""

    def __init__(self, settings: WorkerSettings, limit_s: float) -> None:
        self._settings = settings
        self._limit_s = limit_s
        self._running: tuple[BaseProcess, Connection] | None = None

    def __exit__(self, *_: object) -> None:
        self._stop(patience_s=0)

    def ask(
        self, manifest: Manifest, tool_id: str = "", payload: Mapping[str, Any] | None = None
    ) -> ToolAnswer:
        """Run a tool, or only load its plugin; if there is no answer, the reason is its problem."""
        try:
            connection = self._ready_connection()
            connection.send((manifest, tool_id, payload))
            if connection.poll(self._limit_s):
                answer: ToolAnswer = connection.recv()
                return answer
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return ToolAnswer({}, (f"it takes the whole process down ({self._stop()})",))
        self._stop(patience_s=0)
        return ToolAnswer({}, (f"it gave no answer within {self._limit_s:g} s",))

    def _ready_connection(self) -> Connection:
        if self._running is None:
            context = multiprocessing.get_context("spawn")
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, self._settings), daemon=True)
            self._running = process, ours
            process.start()
            theirs.close()
            ours.recv()  # the start of the process must not count as the plugin's time
        return self._running[1]

    def _stop(self, patience_s: float = 5) -> str:
        """Have no process; says how it ended if it ended by itself."""
        if self._running is None:
            return ""
        (process, connection), self._running = self._running, None
        process.join(patience_s)
        code = process.exitcode
        process.kill()
        process.join()
        connection.close()
        return signal.Signals(-code).name if code and code < 0 else f"exit code {code}"


def _serve(connection: Connection, settings: WorkerSettings) -> None:
    """Answer questions until the other end is closed."""
    plugins: dict[Path, Plugin] = {}
    connection.send("ready")
    # In a thread, as in the worker; its future holds whatever a plugin raises, SystemExit included.
    with ThreadPoolExecutor(1) as thread:
        while True:
            try:
                question = connection.recv()
            except EOFError:
                return
            future = thread.submit(_answer, question, plugins, settings)
            error = future.exception()
            connection.send(future.result() if error is None else ToolAnswer({}, (_sentence(error),)))


def _answer(question: Question, plugins: dict[Path, Plugin], settings: WorkerSettings) -> ToolAnswer:
    manifest, tool_id, payload = question
    if manifest.folder not in plugins:
        plugins[manifest.folder] = create_plugin(manifest, settings)
    plugin = plugins[manifest.folder]
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
