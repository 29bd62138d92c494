"""Run a pipeline's tools over one frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, Self, runtime_checkable

from video_jobs.domain.region import Region

from video_worker.cropping import Crop
from video_worker.pipeline_definition import PipelineDefinition

Payload = Mapping[str, Any]
"""The initial payload: ``frame_index`` (int), ``position`` (the frame's place in its part, from 0) and
``image`` (height x width x 3, BGR, uint8)."""


class Tool(Protocol):
    """One capability of a plugin; several threads may run it at once."""

    def run(self, payload: Payload) -> dict[str, Any]:
        """Work on a frame; ``payload`` is the initial payload and the outputs of the preceding nodes."""
        ...


@runtime_checkable
class RememberingTool(Tool, Protocol):
    """A tool whose answer depends on earlier frames; it starts with an empty memory at each part."""

    def begin_part(self) -> Self:
        """The same tool with an empty memory."""
        ...

    def abort(self) -> None:
        """A frame of this part failed, so that no other frame may wait for it."""
        ...


class DagRunner:
    """A pipeline with the tools of its nodes.

    Parameters
    ----------
    region
        The part of the picture that the tools are given; None for the whole picture.
    """

    def __init__(
        self, definition: PipelineDefinition, tools: Mapping[str, Tool], region: Region | None = None
    ) -> None:
        self._definition = definition
        self._tools = tools
        self._region = region

    def begin_part(self) -> Self:
        """The same pipeline for the next part, with an empty memory."""
        fresh = {
            name: tool.begin_part() if isinstance(tool, RememberingTool) else tool
            for name, tool in self._tools.items()
        }
        return type(self)(self._definition, fresh, self._region)

    def run(self, payload: Payload) -> dict[str, Any]:
        """Run all nodes, and merge their outputs in that order, without the initial payload.

        Places in the outputs are in pixels of the whole picture, whatever the region.
        """
        try:
            return self._run(payload) if self._region is None else self._run_in(self._region, payload)
        except BaseException:
            for tool in self._tools.values():
                if isinstance(tool, RememberingTool):
                    tool.abort()
            raise

    def _run_in(self, region: Region, payload: Payload) -> dict[str, Any]:
        image = payload["image"]
        crop = Crop.of(region, image.shape[1], image.shape[0])
        return crop.in_picture(self._run({**payload, "image": crop.cut(image)}))

    def _run(self, payload: Payload) -> dict[str, Any]:
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
