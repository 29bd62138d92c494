"""Plugins at work: each is loaded, and each of its tools runs on a sample frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from video_worker.plugin_registry import Manifest

from gpu_worker_image.models.street_demo_training.scenes import Scene, Thing, render
from tools.governance.output_types import ToolAnswer
from tools.governance.plugin_process import LoadPlugin, PluginProcess, RunTool


@dataclass(frozen=True, slots=True)
class Checked:
    """One thing that was checked, what is wrong with it, and what is worth telling where nothing is."""

    thing: str
    problems: tuple[str, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ToolOf:
    """A tool of a plugin."""

    manifest: Manifest
    tool_id: str

    @property
    def name(self) -> str:
        """``plugin.tool``"""
        return f"tool {self.manifest.id}.{self.tool_id}"

    @property
    def inputs(self) -> set[str]:
        """Its input types."""
        return set(self.manifest.tools[self.tool_id]["input_types"])

    @property
    def outputs(self) -> set[str]:
        """Its output types."""
        return set(self.manifest.tools[self.tool_id]["output_types"])


def tools_of(manifests: Sequence[Manifest]) -> list[ToolOf]:
    """All their tools."""
    return [ToolOf(manifest, tool_id) for manifest in manifests for tool_id in manifest.tools]


def sample_payload() -> dict[str, Any]:
    """The initial payload with a street on which the shipped model finds things and text can be read."""
    car = Thing("car_rear", x=200, bottom=320, height=170, color=(40, 40, 200), text="KXR742")
    sign = Thing("sign", x=500, bottom=300, height=50, color=(150, 70, 20), text="HARBOUR")
    image, _ = render(Scene(1, (640, 360), 120, (car, sign)))
    return {"frame_index": 0, "position": 0, "image": image}


class PluginTrial:
    """Loads plugins and runs their tools, each when its inputs are there.

    A tool is given the sample payload and its ``input_types``, nothing else, so that it cannot lean on
    what it does not declare. Inputs come from the tools that ran before.
    """

    def __init__(self, process: PluginProcess) -> None:
        self._process = process
        self._initial = sample_payload()
        self._available = dict(self._initial)

    def run(self, manifests: Sequence[Manifest], providers: Sequence[Manifest]) -> Iterator[Checked]:
        """Try plugins; where inputs are missing, those tools of ``providers`` that give them run too."""
        usable = []
        for manifest in manifests:
            answer = self._process.ask(LoadPlugin(manifest))
            usable += [] if answer.problems else [manifest]
            yield Checked(f"plugin {manifest.id}", answer.problems, "loads and tells its facts")
        waiting = tools_of(usable)
        yield from self._run_ready(waiting)
        missing = {name for tool in waiting for name in tool.inputs - self._available.keys()}
        yield from self._run_ready([tool for tool in tools_of(providers) if tool.outputs & missing])
        yield from self._run_ready(waiting)
        for tool in waiting:
            absent = ", ".join(sorted(tool.inputs - self._available.keys()))
            yield Checked(tool.name, (f"it was not run, since no tool gives its input {absent}",))

    def _run_ready(self, waiting: list[ToolOf]) -> Iterator[Checked]:
        """Run what can run, and take it off the list."""
        while ready := [tool for tool in waiting if tool.inputs <= self._available.keys()]:
            for tool in ready:
                waiting.remove(tool)
                yield self._run(tool)

    def _run(self, tool: ToolOf) -> Checked:
        wanted = self._initial.keys() | tool.inputs
        payload = {name: value for name, value in self._available.items() if name in wanted}
        answer = self._process.ask(RunTool(tool.manifest, tool.tool_id, payload))
        self._available = {**answer.outputs, **self._available}
        return Checked(tool.name, answer.problems, f"gives {_described(tool.outputs, answer)}")


def _described(names: set[str], answer: ToolAnswer) -> str:
    """The names, and how much there is of what can be counted."""
    values = {name: answer.outputs.get(name) for name in sorted(names)}
    counts = {name: f" ({len(value)})" for name, value in values.items() if isinstance(value, list)}
    return ", ".join(name + counts.get(name, "") for name in values)
