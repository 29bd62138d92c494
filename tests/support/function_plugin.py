"""A plugin for tests whose tools are functions: quick, without a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, cast

from video_worker.dag_runner import Payload, Tool


class FunctionPlugin:
    def __init__(self, tools: Mapping[str, Callable[[Payload], Any]]) -> None:
        self._tools = tools

    def tool(self, tool_id: str) -> Tool:
        return cast(Tool, SimpleNamespace(run=self._tools[tool_id]))

    def facts(self) -> dict[str, Any]:
        return {"model": "none"}
