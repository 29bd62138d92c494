"""Run a pipeline's tools over one frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from video_worker.pipeline_definition import PipelineDefinition

Payload = Mapping[str, Any]
"""The initial payload: ``frame_index`` (int) and ``image`` (height x width x 3, BGR, uint8)."""


class Tool(Protocol):
    """One capability of a plugin."""

    def run(self, payload: Payload) -> dict[str, Any]:
        """Work on a frame: the initial payload plus what the preceding nodes gave."""
        ...


class DagRunner:
    """A pipeline with its tools."""

    def __init__(self, definition: PipelineDefinition, tools: Mapping[str, Tool]) -> None:
        self._definition = definition
        self._tools = tools

    def run(self, payload: Payload) -> dict[str, Any]:
        """The flat merge of all node outputs in execution order, without the initial payload."""
        outputs: dict[str, dict[str, Any]] = {}
        for name in self._definition.order:
            given: dict[str, Any] = dict(payload)
            for before in self._definition.predecessors[name]:
                given |= outputs[before]
            outputs[name] = self._tools[name].run(given)
        merged: dict[str, Any] = {}
        for name in self._definition.order:
            merged |= outputs[name]
        return {key: value for key, value in merged.items() if key not in payload}
