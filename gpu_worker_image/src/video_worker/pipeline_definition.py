"""A pipeline: a directed acyclic graph of tools, as JSON defines it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, Self

from video_jobs.domain.errors import SettingError


@dataclass(frozen=True, slots=True)
class Node:
    """One step: a tool of a plugin."""

    id: str
    plugin_id: str
    tool_id: str


@dataclass(frozen=True, slots=True)
class PipelineDefinition:
    """A checked pipeline; ``order`` is the order in which its nodes run."""

    id: str
    name: str
    description: str
    nodes: Mapping[str, Node]
    predecessors: Mapping[str, tuple[str, ...]]
    entry_nodes: tuple[str, ...]
    output_nodes: tuple[str, ...]
    order: tuple[str, ...]

    @classmethod
    def from_json(cls, text: str, source: str) -> Self:
        """Read and check a definition.

        Raises
        ------
        SettingError
            If the definition is wrong: unknown nodes, a cycle, unreachable nodes; the message says so.
        """
        try:
            raw = json.loads(text)
            nodes = {
                node["id"]: Node(node["id"], node["plugin_id"], node["tool_id"]) for node in raw["nodes"]
            }
            edges = [(edge["from_node"], edge["to_node"]) for edge in raw["edges"]]
            entries, outputs = tuple(raw["entry_nodes"]), tuple(raw["output_nodes"])
            names = (raw["id"], raw["name"], raw.get("description", ""))
            problem = _problem(raw, nodes, edges, entries, outputs)
        except (ValueError, KeyError, TypeError) as exc:
            raise SettingError(f"{source}: not a pipeline definition ({exc!r})") from exc
        if problem:
            raise SettingError(f"{source}: {problem}")
        predecessors = {name: tuple(a for a, b in edges if b == name) for name in nodes}
        return cls(*names, nodes, predecessors, entries, outputs, _topological(nodes, edges))


def load_pipelines(folder: Path) -> dict[str, PipelineDefinition]:
    """Every ``*.json`` of a folder, by pipeline id."""
    found: dict[str, PipelineDefinition] = {}
    for path in sorted(folder.glob("*.json")):
        definition = PipelineDefinition.from_json(path.read_text(encoding="utf-8"), path.name)
        if definition.id in found:
            raise SettingError(f"{path.name}: the pipeline {definition.id!r} exists already")
        found[definition.id] = definition
    return found


def _problem(
    raw: Mapping[str, Any],
    nodes: Mapping[str, Node],
    edges: list[tuple[str, str]],
    entries: tuple[str, ...],
    outputs: tuple[str, ...],
) -> str | None:
    if not nodes or len(nodes) != len(raw["nodes"]):
        return "it has no nodes, or two of the same id"
    unknown = {*entries, *outputs, *(end for edge in edges for end in edge)} - nodes.keys()
    if unknown:
        return f"unknown node {min(unknown)!r}"
    if not entries or not outputs:
        return "it names no entry_nodes or no output_nodes"
    try:
        _topological(nodes, edges)
    except CycleError:
        return "its edges form a cycle"
    unreached = nodes.keys() - _reached_from(entries, edges)
    if unreached:
        return f"node {min(unreached)!r} cannot be reached from the entry nodes"
    sinks = nodes.keys() - {start for start, _ in edges}
    if sinks != set(outputs):
        return "its output_nodes must be exactly the nodes without a successor"
    return None


def _topological(nodes: Mapping[str, Node], edges: list[tuple[str, str]]) -> tuple[str, ...]:
    """An order in which every node follows its predecessors; if several can follow, the first defined does.

    Raises
    ------
    CycleError
        If there is none.
    """
    sorter: TopologicalSorter[str] = TopologicalSorter(dict.fromkeys(nodes, ()))
    for start, end in edges:
        sorter.add(end, start)
    sorter.prepare()
    order: list[str] = []
    ready: set[str] = set()
    while sorter.is_active():
        ready |= set(sorter.get_ready())
        order.append(next(name for name in nodes if name in ready))
        ready.remove(order[-1])
        sorter.done(order[-1])
    return tuple(order)


def _reached_from(entries: tuple[str, ...], edges: list[tuple[str, str]]) -> set[str]:
    reached, border = set(entries), set(entries)
    while border:
        border = {b for a, b in edges if a in border} - reached
        reached |= border
    return reached
