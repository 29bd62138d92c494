"""Plugins at work: each is loaded in a process of its own, and each of its tools runs on a sample frame."""

from __future__ import annotations

import json
import multiprocessing
import signal
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from pebble import ProcessExpired, ProcessPool
from pydantic import ValidationError
from video_jobs.domain import text_engines
from video_jobs.domain.errors import VideoJobsError
from video_jobs.domain.object_choice import ALL_OBJECTS
from video_jobs.settings import WorkerSettings
from video_worker.dag_runner import RememberingTool, Tool
from video_worker.plugin_registry import ChoosingPlugin, Manifest, Plugin, create_plugin
from video_worker.results_serializer import DECIMALS, frame_line

from functions.video_api.result_format import FRAME_RESULT
from gpu_worker_image.models.street_demo_training.scenes import Scene, Thing, render
from tools.validation_errors import faults

INITIAL_PAYLOAD = frozenset({"frame_index", "position", "image"})
"""What every tool is given; it is never part of the results."""

NOTHING_CHOSEN = {**text_engines.NOTHING_CHOSEN.for_plugins(), **ALL_OBJECTS.for_plugins()}
"""The options of a job that leaves everything to the worker."""

ToolOf = tuple[Manifest, str]
"""A plugin and the id of one of its tools; an empty id stands for the plugin itself."""

_loaded: dict[Path, Plugin] = {}
"""What the plugins' own process has loaded."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One thing that was checked, what is wrong with it, and what is worth telling if nothing is."""

    thing: str
    problems: tuple[str, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """What a tool gave, as the results would hold it, and what is wrong with it."""

    outputs: Mapping[str, Any]
    problems: tuple[str, ...] = ()


Ask = Callable[[ToolOf, Mapping[str, Any]], ToolAnswer]
"""Runs a tool on a payload; if there is no answer, the reason is its problem."""


# --- a tool's answer ---------------------------------------------------------------------------------


def answer_of(given: Any, output_types: Collection[str]) -> ToolAnswer:
    """Judge what ``run`` of a tool returned: by its ``output_types``, and by the format of results."""
    if not isinstance(given, dict):
        return ToolAnswer({}, (f"it returns {type(given).__name__} instead of a dict",))
    wanted = set(output_types)
    problems = [f"it does not give {name!r}, which its output_types name" for name in wanted - given.keys()]
    problems += [f"it gives {name!r}, which its output_types do not name" for name in given.keys() - wanted]
    outputs: dict[str, Any] = {}
    for name in sorted(wanted & given.keys() - INITIAL_PAYLOAD):
        try:
            outputs[name] = json.loads(frame_line({name: given[name]}))[name]
        except (TypeError, ValueError) as error:
            problems.append(f"{name!r} cannot be written into the results: {error}")
    for name, sentence in _of_other_format(outputs).items():
        del outputs[name]
        problems.append(f"not in the format of results: {sentence}")
    return ToolAnswer(outputs, tuple(problems))


def _of_other_format(outputs: Mapping[str, Any]) -> dict[str, str]:
    """The first fault of each name that the format of results knows; other names are a plugin's own."""
    try:
        FRAME_RESULT.validate_python(outputs, strict=True)
    except ValidationError as error:
        return {str(place[0]): sentence for place, sentence in reversed(list(faults(error)))}
    return {}


# --- a process for plugins ---------------------------------------------------------------------------


@contextmanager
def plugin_process(settings: WorkerSettings, limit_s: float) -> Iterator[Ask]:
    """One process that loads each plugin once; pebble replaces it when it died or took too long."""
    pool = ProcessPool(1, context=multiprocessing.get_context("spawn"))
    try:
        yield partial(_ask, pool, settings, limit_s)
    finally:
        pool.stop()
        pool.join()


def _ask(
    pool: ProcessPool, settings: WorkerSettings, limit_s: float, tool: ToolOf, payload: Mapping[str, Any]
) -> ToolAnswer:
    try:
        answer: ToolAnswer = pool.schedule(_guarded, (settings, *tool, payload), timeout=limit_s).result()
        return answer
    except TimeoutError:
        return ToolAnswer({}, (f"it gave no answer within {limit_s:g} s",))
    except ProcessExpired as error:
        code = error.exitcode
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return ToolAnswer({}, (f"it takes the whole process down ({how})",))


def _guarded(*question: Any) -> ToolAnswer:
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
    if isinstance(plugin, ChoosingPlugin):
        plugin = plugin.with_options(NOTHING_CHOSEN)
    if not tool_id:
        json.dumps(plugin.facts(), sort_keys=True)  # as the fingerprint of a pipeline does
        return ToolAnswer({})
    declared = manifest.tools[tool_id]
    answer = answer_of(_run(plugin.tool(tool_id), payload), declared["output_types"])
    detections = answer.outputs.get("detections")
    if detections and isinstance(plugin, ChoosingPlugin):
        ask = partial(_detections, plugin, tool_id, payload)
        ignored = ignored_options(declared.get("options", ()), detections, ask)
        answer = replace(answer, problems=(*answer.problems, *ignored))
    return answer


def _run(tool: Tool, payload: Mapping[str, Any]) -> Any:
    return (tool.begin_part() if isinstance(tool, RememberingTool) else tool).run(payload)


def _detections(
    plugin: ChoosingPlugin, tool_id: str, payload: Mapping[str, Any], chosen: Mapping[str, Any]
) -> list[Any]:
    found: list[Any] = _run(plugin.with_options({**NOTHING_CHOSEN, **chosen}).tool(tool_id), payload)[
        "detections"
    ]
    return found


def ignored_options(
    options: Collection[str], found: Sequence[Any], ask: Callable[[Mapping[str, Any]], list[Any]]
) -> Iterator[str]:
    """What is wrong with the options that a tool declares, told by what it finds if they are chosen.

    Parameters
    ----------
    found
        What it finds if nothing is chosen, in the format of results; not empty.
    ask
        Gives what it finds with some options.
    """
    name, confidences = found[0]["class_name"], [one["confidence"] for one in found]
    between = max(0.0, (min(confidences) + max(confidences)) / 2 - 10**-DECIMALS)
    choices = {
        "classes": ((name,), [one for one in found if one["class_name"] == name]),
        "min_confidence": (between, [one for one in found if one["confidence"] >= between]),
    }
    for option, (value, expected) in choices.items():
        if option in options and len(ask({option: value})) != len(expected):
            yield f"it does not choose its detections by {option!r}, which its options name"


def _sentence(error: BaseException) -> str:
    if isinstance(error, VideoJobsError):
        return error.message
    *_, last = traceback.extract_tb(error.__traceback__)
    return f"it raises {type(error).__name__}: {error} ({Path(last.filename).name}, line {last.lineno})"


# --- the trial ---------------------------------------------------------------------------------------


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

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._available = sample_payload()

    def run(self, manifests: Sequence[Manifest], providers: Sequence[Manifest]) -> Iterator[Checked]:
        """Try plugins; if inputs are missing, those tools of ``providers`` that give them run too."""
        waiting: list[ToolOf] = []
        for manifest in manifests:
            problems = self._ask((manifest, ""), {}).problems
            waiting += [] if problems else tools_of([manifest])
            yield Checked(f"plugin {manifest.id}", problems, "loads and tells its facts")
        yield from self._run_ready(waiting)
        missing = {name for tool in waiting for name in self._missing(tool)}
        helpers = [tool for tool in tools_of(providers) if missing & types_of(tool, "output_types")]
        yield from self._run_ready(helpers)
        yield from self._run_ready(waiting)
        for tool in waiting:
            inputs = ", ".join(self._missing(tool))
            yield _checked(tool, ToolAnswer({}, (f"it was not run, since no tool gives its input {inputs}",)))

    def _missing(self, tool: ToolOf) -> list[str]:
        return sorted(types_of(tool, "input_types") - self._available.keys())

    def _run_ready(self, waiting: list[ToolOf]) -> Iterator[Checked]:
        """Run what can run, and take it off the list."""
        while ready := [tool for tool in waiting if not self._missing(tool)]:
            for tool in ready:
                waiting.remove(tool)
                wanted = INITIAL_PAYLOAD | types_of(tool, "input_types")
                payload = {name: value for name, value in self._available.items() if name in wanted}
                answer = self._ask(tool, payload)
                self._available = {**answer.outputs, **self._available}
                yield _checked(tool, answer)


def tools_of(manifests: Sequence[Manifest]) -> list[ToolOf]:
    """All their tools."""
    return [(manifest, tool_id) for manifest in manifests for tool_id in manifest.tools]


def types_of(tool: ToolOf, kind: str) -> set[str]:
    """A tool's ``input_types`` or ``output_types``."""
    manifest, tool_id = tool
    return set(manifest.tools[tool_id][kind])


def _checked(tool: ToolOf, answer: ToolAnswer) -> Checked:
    """What was found out; if nothing is wrong, what it gives, and how much of what can be counted."""
    given = [
        f"{name} ({len(value)})" if isinstance(value := answer.outputs.get(name), list) else name
        for name in sorted(types_of(tool, "output_types"))
    ]
    return Checked(f"tool {tool[0].id}.{tool[1]}", answer.problems, f"gives {', '.join(given)}")
