"""What a pipeline's definition must say."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from video_jobs.domain.errors import SettingError
from video_worker.pipeline_definition import Node, PipelineDefinition
from video_worker.plugin_registry import Manifest

from tools.governance.plugin_trial import Checked
from tools.governance.tool_answers import INITIAL_PAYLOAD


def check_pipelines(folder: Path, manifests: Mapping[str, Manifest]) -> Iterator[Checked]:
    """Every pipeline of a folder against the plugins that there are.

    The graph is checked by the worker's own code, which tells its first fault.
    """
    owners: dict[Any, str] = {}
    for path in sorted(folder.glob("*.json")):
        definition, problems = _read(path, manifests)
        if definition:
            if definition.id in owners:
                problems.append(f"its id {definition.id!r} is taken by {owners[definition.id]}")
            owners.setdefault(definition.id, path.name)
        steps = " -> ".join(definition.order) if definition else ""
        yield Checked(f"pipeline {path.name}", tuple(problems), steps)


def _read(path: Path, manifests: Mapping[str, Manifest]) -> tuple[PipelineDefinition | None, list[str]]:
    try:
        text = path.read_text(encoding="utf-8")
        definition = PipelineDefinition.from_json(text, path.name)
    except SettingError as error:
        first = error.message.removeprefix(f"{path.name}: ")
        return None, [first, *_unknown_tools(_legible_nodes(text), manifests)]
    except UnicodeDecodeError as error:
        return None, [f"not a pipeline definition ({error})"]
    problems = [*_unnamed(definition), *_unknown_tools(definition.nodes.values(), manifests)]
    return definition, [*problems, *_unmet_types(definition, manifests)]


def _legible_nodes(text: str) -> list[Node]:
    """The nodes of a definition that the worker refuses, as far as they can be read."""
    try:
        nodes = json.loads(text)["nodes"]
        return [Node(str(node["id"]), node["plugin_id"], node["tool_id"]) for node in nodes]
    except (ValueError, KeyError, TypeError):
        return []


def _unnamed(definition: PipelineDefinition) -> Iterator[str]:
    for name in ("id", "name"):
        value = getattr(definition, name)
        if not isinstance(value, str) or not value.strip():
            yield f"{name} must be a text, not {value!r}"


def _unknown_tools(nodes: Iterable[Node], manifests: Mapping[str, Manifest]) -> Iterator[str]:
    for node in nodes:
        manifest = manifests.get(node.plugin_id)
        if manifest is None:
            yield f"node {node.id!r} needs a plugin {node.plugin_id!r}, and there is none"
        elif node.tool_id not in manifest.tools:
            yield f"node {node.id!r} needs a tool {node.tool_id!r}, which the plugin {node.plugin_id!r} lacks"


def _unmet_types(definition: PipelineDefinition, manifests: Mapping[str, Manifest]) -> Iterator[str]:
    """A node is given the frame and what the nodes right before it give, as `DagRunner` does it."""

    def types(name: str, kind: str) -> set[str]:
        node = definition.nodes[name]
        tools = manifests[node.plugin_id].tools if node.plugin_id in manifests else {}
        return set(tools.get(node.tool_id, {}).get(kind, []))

    for name in definition.order:
        given = INITIAL_PAYLOAD.union(*(types(one, "output_types") for one in definition.predecessors[name]))
        for missing in sorted(types(name, "input_types") - given):
            yield f"node {name!r} needs {missing!r}, which neither the frame nor a node right before it gives"
