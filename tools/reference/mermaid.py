"""Read the diagrams of the documentation far enough to compare them with the code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import accumulate, pairwise

KINDS = ("flowchart LR", "flowchart TB", "stateDiagram-v2", "sequenceDiagram")
_NODE = re.compile(r'(\w+)(?:\(\[|\[\(|\[\[|\(\(|\{\{|\[|\(|\{)"([^"]*)"')
_ARROW = re.compile(r"\s*(?:<-->|-->|-\.->|==>|---)(?:\|\"?[^|]*\|)?\s*")
_TRANSITION = re.compile(r"^(\S+) --> (\S+?)(?:\s*:\s*(.+))?$")


@dataclass(frozen=True, slots=True)
class Diagram:
    """A diagram: its kind, labels by node, and edges as pairs of nodes (of states, for a state diagram)."""

    kind: str
    nodes: dict[str, str]
    edges: list[tuple[str, str]]


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
    nodes = dict(found for line in lines for found in _NODE.findall(line))
    edges = [
        edge for line in lines for edge in pairwise(re.sub(r"\W.*", "", end) for end in _ARROW.split(line))
    ]
    if strangers := {end for edge in edges for end in edge} - nodes.keys():
        raise ValueError(f"An edge of nodes that have no label: {sorted(strangers)}")
    return Diagram(kind, nodes, edges)


def _states(kind: str, lines: list[str]) -> Diagram:
    found = [_TRANSITION.match(line) for line in lines if "-->" in line]
    edges = [(one[1], one[2]) for one in found if one]
    return Diagram(kind, {state: state for edge in edges for state in edge}, edges)


def _check_brackets(line: str) -> None:
    """Outside quotes every bracket is closed in its line, by its own kind."""
    unquoted = re.sub(r'"[^"]*"', "", line)
    if '"' in unquoted:
        raise ValueError(f"A quote that is not closed: {line}")
    rest = "".join(re.findall(r"[][(){}]", re.sub(r"[<-]?-+\.?-?>|==>", "", unquoted)))
    while (shorter := re.sub(r"\(\)|\[\]|\{\}", "", rest)) != rest:
        rest = shorter
    if rest:
        raise ValueError(f"A bracket that does not match: {line}")


def _check_blocks(lines: list[str]) -> None:
    depths = list(accumulate(line.startswith("subgraph ") - (line == "end") for line in lines))
    if depths and (min(depths) < 0 or depths[-1]):
        raise ValueError("A subgraph without its end, or the reverse")
