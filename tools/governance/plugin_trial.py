"""Plugins at work: each is loaded, and each of its tools runs on a sample frame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from video_worker.plugin_registry import Manifest

from gpu_worker_image.models.street_demo_training.scenes import Scene, Thing, render
from tools.governance.plugin_process import PluginProcess


@dataclass(frozen=True, slots=True)
class Checked:
    """One thing that was checked, what is wrong with it, and what is worth telling if nothing is."""

    thing: str
    problems: tuple[str, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ToolOf:
    """A tool of a plugin."""

    manifest: Manifest
    id: str

    def types(self, kind: str) -> set[str]:
        """Its ``input_types`` or ``output_types``."""
        return set(self.manifest.tools[self.id][kind])

    def checked(self, problems: tuple[str, ...], outputs: Mapping[str, Any]) -> Checked:
        """What was found out; if nothing is wrong, what it gives, and how much of what can be counted."""
        given = [
            f"{name} ({len(value)})" if isinstance(value := outputs.get(name), list) else name
            for name in sorted(self.types("output_types"))
        ]
        return Checked(f"tool {self.manifest.id}.{self.id}", problems, f"gives {', '.join(given)}")


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

    A tool is given the sample payload and its ``input_types``, nothing else, so that it cannot use what it
    does not declare. Inputs come from the tools that ran before.
    """

    def __init__(self, process: PluginProcess) -> None:
        self._process = process
        self._initial = sample_payload()
        self._available = dict(self._initial)

    def run(self, manifests: Sequence[Manifest], providers: Sequence[Manifest]) -> Iterator[Checked]:
        """Try plugins; if inputs are missing, those tools of ``providers`` that give them run too."""
        usable = []
        for manifest in manifests:
            answer = self._process.ask(manifest)
            usable += [] if answer.problems else [manifest]
            yield Checked(f"plugin {manifest.id}", answer.problems, "loads and tells its facts")
        waiting = tools_of(usable)
        yield from self._run_ready(waiting)
        missing = {name for tool in waiting for name in self._missing(tool)}
        yield from self._run_ready(
            [one for one in tools_of(providers) if one.types("output_types") & missing]
        )
        yield from self._run_ready(waiting)
        for tool in waiting:
            problem = f"it was not run, since no tool gives its input {', '.join(self._missing(tool))}"
            yield tool.checked((problem,), {})

    def _missing(self, tool: ToolOf) -> list[str]:
        return sorted(tool.types("input_types") - self._available.keys())

    def _run_ready(self, waiting: list[ToolOf]) -> Iterator[Checked]:
        """Run what can run, and take it off the list."""
        while ready := [tool for tool in waiting if not self._missing(tool)]:
            for tool in ready:
                waiting.remove(tool)
                yield self._run(tool)

    def _run(self, tool: ToolOf) -> Checked:
        wanted = self._initial.keys() | tool.types("input_types")
        payload = {name: value for name, value in self._available.items() if name in wanted}
        answer = self._process.ask(tool.manifest, tool.id, payload)
        self._available = {**answer.outputs, **self._available}
        return tool.checked(answer.problems, answer.outputs)
