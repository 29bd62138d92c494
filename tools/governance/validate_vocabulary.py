"""``python -m tools.governance.validate_vocabulary``: functional code uses none of the forbidden words.

Each violation is a line ``file:line: term: text``; line 0 stands for the name of the file or folder itself.
A line is exempt where it says ``vocabulary: allow TERM - reason`` in a comment, or where such a comment
stands alone on the line above; names of files and folders, and JSON, can only be allowed in the
configuration. Exit status: 0 clean, 1 violations, 2 nothing was checked because something is wrong with the
configuration.
"""

from __future__ import annotations

import argparse
import codecs
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tools.governance.vocabulary import ConfigurationError, Hit, Vocabulary

ROOT = Path(__file__).parents[2]
CONFIGURATION = Path(__file__).parent / "forbidden_vocabulary.yaml"
_SHOWN = 160
_SNIFFED_BYTES = 8192
_EXEMPTION = re.compile(r"vocabulary:\s*allow\b\s*(?P<term>[\w-]*)(?:\s+-\s(?P<reason>.*))?")
_COMMENT_END = re.compile(r"\s*(-->|\*/|#\})\s*$")
_A_WORD = re.compile(r"[^\W\d_]{2}")


@dataclass(frozen=True, slots=True)
class Finding:
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

    def lines(self) -> list[str]:
        """For reading."""
        counts = (
            f"{len(self.scanned)} files scanned, {len(self.binaries)} binary files left out, "
            f"{len(self.exemptions)} exemptions, {len(self.violations)} violations"
        )
        return [
            *map(str, sorted(self.violations, key=lambda found: (found.path, found.line))),
            *(f"exempt: {found}" for found in self.exemptions),
            *(f"left out, as its content is binary: {path}" for path in self.binaries),
            *(f"not there: {path}" for path in self.missing),
            counts,
        ]


@dataclass(frozen=True, slots=True)
class Exemption:
    """A comment that allows a term; ``applies_to`` is its own line or, where it stands alone, the next."""

    line: int
    start: int
    applies_to: int
    term: str
    reason: str

    @classmethod
    def in_line(cls, number: int, text: str) -> Self | None:
        """The exemption that a line holds."""
        found = _EXEMPTION.search(text)
        if found is None:
            return None
        reason = _COMMENT_END.sub("", found["reason"] or "").strip()
        stands_alone = not re.search(r"\w", text[: found.start()])
        return cls(number, found.start(), number + stands_alone, found["term"], reason)

    def problem(self, vocabulary: Vocabulary) -> str | None:
        """What is wrong with it, whatever it is meant for."""
        if self.term not in vocabulary.forbidden:
            return "this exemption names no forbidden term"
        if not _A_WORD.search(self.reason):
            return f"an exemption needs a reason: vocabulary: allow {self.term} - reason"
        return None


def scan(vocabulary: Vocabulary, root: Path) -> Report:
    """Look at everything that the configuration names.

    Raises
    ------
    ConfigurationError
        If there was nothing to look at.
    """
    report = Report(missing=[path for path in vocabulary.paths if not (root / path).exists()])
    if len(report.missing) == len(vocabulary.paths):
        raise ConfigurationError(f"Nothing to scan: {root} holds none of {', '.join(vocabulary.paths)}")
    for path in _everything(vocabulary, root):
        relative = path.relative_to(root).as_posix()
        kind = "file" if path.is_file() else "folder"
        for hit in vocabulary.hits(path.name):
            report.violations.append(Finding(relative, 0, hit.term, f"the name of this {kind}"))
        if kind == "file":
            _scan_file(vocabulary, path, relative, report)
    if not report.scanned:
        raise ConfigurationError(
            f"Nothing was scanned: there is no text file in {', '.join(vocabulary.paths)}"
        )
    return report


def _everything(vocabulary: Vocabulary, root: Path) -> list[Path]:
    """Files and folders, with those between the root and the configured paths, each once."""
    found: set[Path] = set()
    for start in (root / path for path in vocabulary.paths if (root / path).exists()):
        between = [start, *start.parents]
        found.update(between[: between.index(root)])
        found.update(
            path
            for path in start.rglob("*")
            if not vocabulary.ignored_folders.intersection(path.relative_to(root).parts)
        )
    return sorted(found)


def _scan_file(vocabulary: Vocabulary, path: Path, relative: str, report: Report) -> None:
    text = _text_of(path.read_bytes())
    if text is None:
        report.binaries.append(relative)
        return
    report.scanned.append(relative)
    if "vocabulary:" in text or vocabulary.may_be_in(text):
        _scan_text(vocabulary, relative, re.split(r"\r\n|\r|\n", text), report)


def _text_of(content: bytes) -> str | None:
    """The text of a file, whatever its encoding; None where it is binary, that is, holds zero bytes."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    if b"\0" in content[:_SNIFFED_BYTES]:
        return None
    return content.decode("utf-8", errors="replace")


def _scan_text(vocabulary: Vocabulary, path: str, lines: list[str], report: Report) -> None:
    numbered = list(enumerate(lines, start=1))
    found = (Exemption.in_line(number, line) for number, line in numbered)
    exemptions = {one.line: one for one in found if one}
    valid = {(one.applies_to, one.term): one for one in exemptions.values() if not one.problem(vocabulary)}
    used: set[Exemption] = set()
    for number, line in numbered:
        for hit in vocabulary.hits(line):
            exemption = valid.get((number, hit.term))
            if _is_named_by(exemptions.get(number), hit):
                continue
            if exemption is None:
                report.violations.append(Finding(path, number, hit.term, _excerpt(line, hit)))
            else:
                used.add(exemption)
                report.exemptions.append(Finding(path, number, hit.term, exemption.reason))
    for one in exemptions.values():
        problem = one.problem(vocabulary) or (None if one in used else "this exemption exempts nothing")
        if problem:
            report.violations.append(Finding(path, one.line, one.term, problem))


def _is_named_by(exemption: Exemption | None, hit: Hit) -> bool:
    """Whether the hit is only the comment that names what it is about."""
    return exemption is not None and exemption.term == hit.term and exemption.start < hit.start


def _excerpt(line: str, hit: Hit) -> str:
    """The line, or what stands around the hit in a very long one."""
    start = max(0, hit.start - _SHOWN // 2) if len(line) > _SHOWN else 0
    return line[start : start + _SHOWN].strip()


def main(arguments: Sequence[str] | None = None) -> int:
    """Scan and report."""
    parser = argparse.ArgumentParser(prog="validate_vocabulary", description=__doc__)
    parser.add_argument("--config", type=Path, default=CONFIGURATION, help="the words and the paths")
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder that the paths start from")
    options = parser.parse_args(arguments)
    try:
        report = scan(Vocabulary.from_yaml(options.config), options.root.resolve())
    except (ConfigurationError, OSError) as error:
        print(f"Nothing is known about the vocabulary: {error}", file=sys.stderr)
        return 2
    print("\n".join(report.lines()))
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
