"""Read the Markdown of the documentation: links, anchors, code, tables, diagrams."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.markdown_writer import anchor_of

_FENCE = re.compile(r"^(?P<fence>`{3,})(?P<language>\S*)[^\n]*\n(?P<content>.*?)^(?P=fence)$", re.M | re.S)
_INLINE_CODE = re.compile(r"`([^`\n]+)`")
_NAMED_IN = re.compile(r"`([^`\n]+)`\s+in\s+`([^`\n]+)`")
_NODE = r'\w+(?:\["[^"]*"\]|\[\("[^"]*"\)\]|\(\["[^"]*"\]\))?'
_LINE = re.compile(rf'subgraph \w+ \["[^"]*"\]|end|{_NODE}(?: (?:-->|-\.->)(?:\|"[^"]*"\|)? {_NODE})*')


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A fenced block; ``name`` is what stands between backquotes on the line before it, often a file."""

    language: str
    content: str
    name: str


class Page:
    """One Markdown file; ``prose`` is its text without the fenced blocks."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = path.read_text(encoding="utf-8")
        self.prose = _FENCE.sub("", self.text)

    def blocks(self) -> Iterator[CodeBlock]:
        for found in _FENCE.finditer(self.text):
            before = self.text[: found.start()].rstrip("\n").rpartition("\n")[2]
            names = _INLINE_CODE.findall(before)
            yield CodeBlock(found["language"], found["content"], names[-1] if names else "")

    def links(self) -> list[str]:
        """Targets of the links that stay inside the project."""
        return re.findall(r"\[[^\]]*\]\((?!\w+:)([^)\s]+)\)", self.prose)

    def anchors(self) -> set[str]:
        return {anchor_of(heading) for heading in re.findall(r"^#{1,6} +(.+?) *$", self.prose, re.M)}

    def inline_code(self) -> list[str]:
        return _INLINE_CODE.findall(self.prose)

    def citations(self) -> list[tuple[str, str]]:
        """Each name that is said to stand in a file: backquoted, "in", the backquoted path."""
        return _NAMED_IN.findall(self.prose)

    def section(self, title: str) -> str:
        """The prose under one heading, up to the next one of the first two ranks."""
        found = re.search(rf"^(#+) {re.escape(title)}\n(.*?)(?=^#{{1,2}} |\Z)", self.prose, re.M | re.S)
        assert found is not None, f"{self.path.name} has no section {title!r}"
        return found[2]


def table_rows(text: str) -> list[list[str]]:
    """The cells of each row of the tables in a text, without the heads."""
    rows = re.findall(r"^\|(?![-:| ]+\|$)(.+)\|$(?!\n\|[-:| ]+\|$)", text, re.M)
    return [[cell.strip() for cell in row.split("|")] for row in rows]


def labels_of_flowchart(text: str) -> dict[str, str]:
    """The label of each node; only the lines that the documentation uses are known.

    Raises
    ------
    ValueError
        If the diagram would not render, or a node has no label.
    """
    kind, *lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    labels = dict(re.findall(r'(\w+)[\[(]+"([^"]*)"', text))
    wrong = [line for line in lines if not _LINE.fullmatch(line)]
    plain = re.sub(r'subgraph .*|^ *end$|"[^"]*"', "", "\n".join(lines), flags=re.M)
    wrong += sorted(set(re.findall(r"\w+", plain)) - labels.keys())
    blocks = "".join(line[:1] for line in lines if line == "end" or line.startswith("subgraph "))
    if kind != "flowchart LR" or wrong or blocks.replace("se", ""):
        raise ValueError(f"Not a flowchart that would render: {kind}, {wrong}, {blocks}")
    return labels
