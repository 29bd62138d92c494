"""Read the diagrams of the documentation far enough to compare them with the code."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise

KINDS = ("flowchart LR", "flowchart TB", "stateDiagram-v2", "sequenceDiagram")
_BRACKETS = {")": "(", "]": "[", "}": "{"}
_NODE = re.compile(r'(\w+)(?:\(\[|\[\(|\[\[|\(\(|\{\{|\[|\(|\{)"([^"]*)"')
_ARROW = re.compile(r"\s*(?:<-->|-->|-\.->|==>|---)(?:\|\"?[^|]*\|)?\s*")
_TRANSITION = re.compile(r"^(\S+) --> (\S+?)(?:\s*:\s*(.+))?$")


@dataclass(frozen=True, slots=True)
class Diagram:
    """A diagram: its kind, labels by node, and edges as pairs of nodes (of states, for a state diagram)."""

    kind: str
    nodes: dict[str, str] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)


def read_diagram(text: str) -> Diagram:
    """Read one diagram.

    Raises
    ------
    ValueError
        For an unknown kind, brackets or blocks that do not match, or an edge of a node without label.
    """
    kind, *lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    if kind not in KINDS:
        raise ValueError(f"Not a kind of diagram that is used here: {kind!r}")
    for line in lines:
        _check_brackets(line)
    _check_blocks(lines)
    return _states(kind, lines) if kind.startswith("state") else _flow(kind, lines)


def _flow(kind: str, lines: list[str]) -> Diagram:
    diagram = Diagram(kind)
    for line in lines:
        diagram.nodes.update(_NODE.findall(line))
    for line in lines:
        ends = [re.sub(r"\W.*", "", end) for end in _ARROW.split(line)]
        diagram.edges.extend(pairwise(ends))
    strangers = {end for edge in diagram.edges for end in edge} - diagram.nodes.keys()
    if strangers:
        raise ValueError(f"An edge of nodes that have no label: {sorted(strangers)}")
    return diagram


def _states(kind: str, lines: list[str]) -> Diagram:
    found = [_TRANSITION.match(line) for line in lines if "-->" in line]
    edges = [(one[1], one[2]) for one in found if one]
    return Diagram(kind, {state: state for edge in edges for state in edge}, edges)


def _check_brackets(line: str) -> None:
    """Outside quotes every bracket is closed in its line, by its own kind."""
    unquoted = re.sub(r'"[^"]*"', "", line)
    if '"' in unquoted:
        raise ValueError(f"A quote that is not closed: {line}")
    open_ones: list[str] = []
    for character in re.sub(r"[<-]?-+\.?-?>|==>", "", unquoted):
        if character in _BRACKETS.values():
            open_ones.append(character)
        elif character in _BRACKETS and (not open_ones or open_ones.pop() != _BRACKETS[character]):
            raise ValueError(f"A bracket that does not match: {line}")
    if open_ones:
        raise ValueError(f"A bracket that is not closed: {line}")


def _check_blocks(lines: list[str]) -> None:
    depth = 0
    for line in lines:
        depth += line.startswith("subgraph ") - (line == "end")
        if depth < 0:
            raise ValueError("An end without its subgraph")
    if depth:
        raise ValueError("A subgraph without its end")
