"""Read Markdown as the tests of the documentation need it: links, anchors, code, tables."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^(?P<fence>`{3,})(?P<language>\S*)[^\n]*\n(?P<content>.*?)^(?P=fence)$", re.M | re.S)
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.M)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_INLINE_CODE = re.compile(r"`([^`\n]+)`")
_NAMED_IN = re.compile(r"`([^`\n]+)`\s+in\s+`([^`\n]+)`")


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A fenced block; ``name`` is what stands between backquotes on the line before it, often a file."""

    language: str
    content: str
    name: str


class Page:
    """One Markdown file.

    Attributes
    ----------
    prose
        The text without its fenced blocks.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = path.read_text(encoding="utf-8")
        self.prose = _FENCE.sub("", self.text)

    def blocks(self) -> Iterator[CodeBlock]:
        """The fenced blocks in order."""
        for found in _FENCE.finditer(self.text):
            before = self.text[: found.start()].rstrip("\n").rpartition("\n")[2]
            names = _INLINE_CODE.findall(before)
            yield CodeBlock(found["language"], found["content"], names[-1] if names else "")

    def links(self) -> list[str]:
        """Targets of the links that stay inside the project."""
        return [target for target in _LINK.findall(self.prose) if not re.match(r"\w+:", target)]

    def anchors(self) -> set[str]:
        """What a link may name after ``#``; a heading that comes again is numbered."""
        seen: Counter[str] = Counter()
        anchors = set()
        for heading in _HEADING.findall(self.prose):
            anchor = anchor_of(heading)
            anchors.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
            seen[anchor] += 1
        return anchors

    def inline_code(self) -> list[str]:
        """Everything between single backquotes."""
        return _INLINE_CODE.findall(self.prose)

    def citations(self) -> list[tuple[str, str]]:
        """Each name that is said to stand in a file: backquoted, "in", the backquoted path."""
        return _NAMED_IN.findall(self.prose)

    def section(self, title: str) -> str:
        """The prose under one heading, up to the next of its rank or above."""
        found = re.search(rf"^(#+) {re.escape(title)}$", self.prose, re.M)
        if found is None:
            raise ValueError(f"{self.path.name} has no section {title!r}")
        rest = self.prose[found.end() :]
        end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.M)
        return rest[: end.start()] if end else rest


def anchor_of(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def table_rows(text: str) -> list[list[str]]:
    """The cells of each row of the tables in a text, heads and rules left out."""
    lines = [line.strip() for line in text.splitlines()]
    rules = [number for number, line in enumerate(lines) if re.fullmatch(r"\|[-:| ]+\|", line)]
    skipped = {*rules, *(number - 1 for number in rules)}
    rows = (line for number, line in enumerate(lines) if line.startswith("|") and number not in skipped)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
