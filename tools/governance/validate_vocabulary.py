"""``python -m tools.governance.validate_vocabulary``: functional code uses none of the forbidden words.

A violation is a line ``file:line: term: text``; line 0 stands for the name of the file or folder itself. A
line is exempt if a comment on it, or one alone on the line above, says ``vocabulary: allow TERM - reason``.
Exit status: 0 clean, 1 violations, 2 nothing was checked because something is wrong with the configuration.
"""

from __future__ import annotations

import argparse
import codecs
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, NamedTuple, Self

import yaml
from pydantic import AliasChoices, BaseModel, Field, ValidationError, model_validator

from tools.validation_errors import faults

ROOT = Path(__file__).parents[2]
CONFIGURATION = Path(__file__).parent / "forbidden_vocabulary.yaml"
_SHOWN, _SNIFFED_BYTES = 160, 8192
_ESCAPE = r"\\[abfnrtv]"
_PART = re.compile(rf"{_ESCAPE}|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
"""A part of an identifier. The escapes of strings are parts, so that their letter joins no word."""
_NAME_STARTS, _NAME_ENDS = rf"(?:(?<![A-Za-z0-9_])|(?<={_ESCAPE}))", "(?![A-Za-z0-9_])"
_EXEMPTION = re.compile(
    r"vocabulary:\s*allow\b\s*(?P<term>[\w-]*)"
    r"(?:\s+-\s+(?P<reason>(?=.*[^\W\d_]{2}).*?)\s*(?:-->|\*/|#\})?\s*$)?"
)


class ConfigurationError(Exception):
    """The configuration cannot be used."""


Text = Annotated[str, Field(pattern=r"\S")]
Term = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*([_-][a-z0-9]+)*$")]


class Explained(BaseModel, extra="forbid", strict=True):
    """A file or folder that is not looked into, or a name that may contain a forbidden term; and why."""

    name: Text = Field(validation_alias=AliasChoices("name", "term"))
    reason: Text


class Vocabulary(BaseModel, extra="forbid", strict=True):
    """The configuration: the paths to scan and the words."""

    paths: Annotated[list[Text], Field(min_length=1)]
    ignored: list[Explained] = []
    forbidden: Annotated[list[Term], Field(min_length=1)]
    allowed: list[Text | Explained]

    @classmethod
    def from_yaml(cls, path: Path) -> Self:
        """Read and check a configuration; raises ConfigurationError that names what is wrong."""
        try:
            return cls.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except ValidationError as exc:
            raise ConfigurationError(f"{path}: {'; '.join(one for _, one in faults(exc))}") from exc
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
            raise ConfigurationError(f"{path} cannot be read: {exc}") from exc

    @property
    def _allowed_names(self) -> list[str]:
        return [one if isinstance(one, str) else one.name for one in self.allowed]

    @model_validator(mode="after")
    def _agree(self) -> Self:
        for names in (self.paths, [*self.forbidden, *self._allowed_names]):
            if len(set(names)) < len(names):
                raise ValueError(f"{max(names, key=names.count)!r} is named twice")
        if any(path.startswith("/") or ".." in path.split("/") for path in self.paths):
            raise ValueError("the paths must lie inside the root")
        for name in self.allowed:
            if isinstance(name, str) and any(self._spelled(name)):
                raise ValueError(f"the allowed name {name!r} needs a reason")
        return self

    def hits(self, line: str) -> list[tuple[int, str]]:
        """Start and term of each forbidden word in a line, without those that an allowed name covers."""
        names = "|".join(map(re.escape, sorted(self._allowed_names, key=len, reverse=True)))
        covers = [one.span(1) for one in re.finditer(f"{_NAME_STARTS}(?=({names}){_NAME_ENDS})", line)]
        return sorted(
            (start, term)
            for start, end, term in self._spelled(line)
            if not any(first <= start and end <= last for first, last in covers)
        )

    def _spelled(self, line: str) -> Iterator[tuple[int, int, str]]:
        """Every spelling of a term that is made of whole parts of identifiers, allowed or not."""
        for term in self.forbidden:
            letters = "[_-]*".join(re.sub("[_-]", "", term))
            for found in re.finditer(f"(?ai)(?=({letters})(s?))", line):
                parts = list(_PART.finditer(line))
                ends = {found.end(1), found.end(2)} & {part.end() for part in parts}
                if ends and found.start() in {part.start() for part in parts}:
                    yield found.start(), max(ends), term


class Finding(NamedTuple):
    """A term at a place: ``text`` is the line, what is wrong with it, or the reason of an exemption."""

    path: str
    line: int
    term: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.term}: {self.text}"


@dataclass(slots=True)
class Report:
    """What was scanned and found."""

    violations: list[Finding] = field(default_factory=list)
    exemptions: list[Finding] = field(default_factory=list)
    scanned: list[str] = field(default_factory=list)
    binaries: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [*map(str, sorted(self.violations, key=lambda found: found[:2]))]
        lines += [f"exempt: {found}" for found in self.exemptions]
        lines += [f"left out, as its content is binary: {path}" for path in self.binaries]
        lines += [f"not there: {path}" for path in self.missing]
        counts = f"{len(self.scanned)} files scanned, {len(self.binaries)} binary files left out, "
        counts += f"{len(self.exemptions)} exemptions, {len(self.violations)} violations"
        return "\n".join([*lines, counts])


def scan(vocabulary: Vocabulary, root: Path) -> Report:
    """Look at everything that the configuration names; raises ConfigurationError if that is nothing."""
    report = Report(missing=[path for path in vocabulary.paths if not (root / path).exists()])
    for path in _everything(vocabulary, root):
        relative = path.relative_to(root).as_posix()
        kind = "file" if path.is_file() else "folder"
        for _, term in vocabulary.hits(path.name):
            report.violations.append(Finding(relative, 0, term, f"the name of this {kind}"))
        if kind == "file":
            _scan_file(vocabulary, path, relative, report)
    if not report.scanned:
        raise ConfigurationError(f"{root} has no text file in {', '.join(vocabulary.paths)}")
    return report


def _everything(vocabulary: Vocabulary, root: Path) -> list[Path]:
    """Files and folders, with those between the root and the configured paths, each once."""
    ignored = {one.name for one in vocabulary.ignored}
    found: set[Path] = set()
    for start in (root / path for path in vocabulary.paths if (root / path).exists()):
        between = [start, *start.parents]
        found.update(between[: between.index(root)])
        found.update(start.rglob("*"))
    return sorted(path for path in found if not ignored.intersection(path.relative_to(root).parts))


def _scan_file(vocabulary: Vocabulary, path: Path, relative: str, report: Report) -> None:
    text = _text_of(path.read_bytes())
    (report.binaries if text is None else report.scanned).append(relative)
    lines = list(enumerate(re.split(r"\r\n|\r|\n", text or ""), start=1))
    exemptions = [one for number, line in lines if (one := Exemption.in_line(number, line))]
    for number, line in lines:
        for start, term in vocabulary.hits(line):
            _judge(Finding(relative, number, term, _excerpt(line, start)), start, exemptions, report)
    for one in exemptions:
        if problem := one.problem(vocabulary):
            report.violations.append(Finding(relative, one.line, one.term, problem))


def _text_of(content: bytes) -> str | None:
    """The text of a file, whatever its encoding; None if it is binary, that is, holds zero bytes."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    return None if b"\0" in content[:_SNIFFED_BYTES] else content.decode("utf-8", errors="replace")


@dataclass(slots=True)
class Exemption:
    """A comment that allows a term; ``applies_to`` is its own line or, if it stands alone, the next."""

    line: int
    start: int
    applies_to: int
    term: str
    reason: str | None
    is_used: bool = False

    @classmethod
    def in_line(cls, number: int, text: str) -> Self | None:
        """The exemption that a line holds."""
        if not (found := _EXEMPTION.search(text)):
            return None
        applies_to = number if re.search(r"\w", text[: found.start()]) else number + 1
        return cls(number, found.start(), applies_to, found["term"], found["reason"])

    def problem(self, vocabulary: Vocabulary) -> str | None:
        """What is wrong with it, after all lines were judged."""
        if self.term not in vocabulary.forbidden:
            return "this exemption names no forbidden term"
        if not self.reason:
            return f"an exemption needs a reason: vocabulary: allow {self.term} - reason"
        return None if self.is_used else "this exemption exempts nothing"


def _judge(found: Finding, start: int, exemptions: Sequence[Exemption], report: Report) -> None:
    """Add a hit to the violations or the exemptions, or to neither if it is the name in an exemption."""
    of_term = [one for one in exemptions if one.term == found.term]
    if any(one.line == found.line and one.start < start for one in of_term):
        return
    for one in of_term:
        if one.applies_to == found.line and one.reason:
            one.is_used = True
            report.exemptions.append(Finding(found.path, found.line, found.term, one.reason))
            return
    report.violations.append(found)


def _excerpt(line: str, start: int) -> str:
    """The line, or what stands around the hit in a very long one."""
    first = max(0, start - _SHOWN // 2) if len(line) > _SHOWN else 0
    return line[first : first + _SHOWN].strip()


def main(arguments: Sequence[str] | None = None) -> int:
    """Scan and report."""
    parser = argparse.ArgumentParser(prog="validate_vocabulary", description=__doc__)
    parser.add_argument("--config", type=Path, default=CONFIGURATION, help="the words and the paths")
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder that the paths start from")
    options = parser.parse_args(arguments)
    try:
        report = scan(Vocabulary.from_yaml(options.config), options.root.resolve())
    except (ConfigurationError, OSError) as error:
        print(f"The vocabulary was not checked: {error}", file=sys.stderr)
        return 2
    print(report)
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
