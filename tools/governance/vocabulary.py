"""The forbidden and the allowed words, and how they are recognised in a line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Self

import yaml

_KEYS = {"paths", "ignored_folders", "forbidden", "allowed"}
_TERM = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
_ESCAPE = r"\\[abfnrtv]"
_PART = re.compile(rf"{_ESCAPE}|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
"""A part of an identifier. Escapes of strings come first: they would lend their letter to the next word."""
_JOINT = re.compile(r"[_-]*")


class ConfigurationError(Exception):
    """The configuration cannot be used."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A forbidden term in a line, from ``start`` to ``end``."""

    term: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words and the paths that a configuration names; reasons are empty where none is needed."""

    paths: tuple[str, ...]
    ignored_folders: frozenset[str]
    forbidden: tuple[str, ...]
    allowed: Mapping[str, str]

    @classmethod
    def from_yaml(cls, path: Path) -> Self:
        """Read and check a configuration.

        Raises
        ------
        ConfigurationError
            Naming what is wrong.
        """
        raw = _mapping(path)
        ignored = _named(raw.get("ignored_folders", []), "ignored_folders", "name")
        forbidden = _texts(raw["forbidden"], "forbidden")
        allowed = _named(raw["allowed"], "allowed", "term")
        vocabulary = cls(_texts(raw["paths"], "paths"), frozenset(ignored), forbidden, allowed)
        problem = _problem(vocabulary, ignored)
        if problem:
            raise ConfigurationError(f"{path}: {problem}")
        return vocabulary

    def may_be_in(self, text: str) -> bool:
        """Whether `hits` can find anything: quick, for texts of many lines."""
        squashed = _squashed(text)
        return any(_squashed(term) in squashed for term in self.forbidden)

    def hits(self, line: str) -> list[Hit]:
        """The forbidden terms in a line, without those that an allowed name covers."""
        if not self.may_be_in(line):
            return []
        covers = [found.span() for name in self.allowed for found in _whole_name(name).finditer(line)]
        return [
            hit
            for hit in self.bare_hits(line)
            if not any(start <= hit.start and hit.end <= end for start, end in covers)
        ]

    def bare_hits(self, line: str) -> list[Hit]:
        """All forbidden terms in a line, allowed or not."""
        terms = {_squashed(term) + plural: term for term in self.forbidden for plural in ("", "s")}
        found: dict[int, Hit] = {}
        for start, end, letters in _runs(line, max(map(len, terms))):
            if letters in terms:
                found[start] = Hit(terms[letters], start, end)
        return list(found.values())


def _runs(line: str, longest: int) -> Iterator[tuple[int, int, str]]:
    """Start, end and lower-case letters of everything that parts of one identifier make together."""
    parts = list(_PART.finditer(line))
    for first, part in enumerate(parts):
        letters, end = "", part.start()
        for following in parts[first:]:
            letters += following[0].lower()
            if len(letters) > longest or not _JOINT.fullmatch(line, end, following.start()):
                break
            end = following.end()
            yield part.start(), end, letters


def _squashed(text: str) -> str:
    return text.lower().replace("_", "").replace("-", "")


def _whole_name(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?:(?<![A-Za-z0-9_])|(?<={_ESCAPE})){re.escape(name)}(?![A-Za-z0-9_])")


def _mapping(path: Path) -> dict[str, Any]:
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        raise ConfigurationError(f"{path} cannot be read: {exc}") from exc
    if not isinstance(raw, dict):
        raise ConfigurationError(f"{path} is not a mapping of paths, forbidden and allowed")
    missing, unknown = _KEYS - {"ignored_folders"} - raw.keys(), raw.keys() - _KEYS
    if missing or unknown:
        raise ConfigurationError(f"{path}: missing {sorted(missing)}, unknown {sorted(map(str, unknown))}")
    return raw


def _texts(value: Any, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(_is_text(one) for one in value):
        raise ConfigurationError(f"{name} must be a list of words, with one at least")
    if len(set(value)) < len(value):
        raise ConfigurationError(f"{name} names something twice")
    return tuple(value)


def _named(value: Any, name: str, key: str) -> dict[str, str]:
    """Entries with their reasons: each a word, or a mapping of ``key`` and reason."""
    if not isinstance(value, list):
        raise ConfigurationError(f"{name} must be a list")
    reasons: dict[str, str] = {}
    for entry in value:
        fields = entry if isinstance(entry, dict) else {key: entry, "reason": ""}
        if not _is_text(fields.get(key)) or fields.keys() != {key, "reason"} or fields[key] in reasons:
            raise ConfigurationError(f"{name}: {entry!r} must be a word, or its {key} and reason, once")
        reasons[fields[key]] = fields["reason"].strip() if _is_text(fields["reason"]) else ""
    return reasons


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _problem(vocabulary: Vocabulary, ignored: Mapping[str, str]) -> str | None:
    odd = [term for term in vocabulary.forbidden if not _TERM.fullmatch(term)]
    if odd:
        return f"the forbidden term {odd[0]!r} must be in lower case, its words joined by _ or -"
    both = [term for term in vocabulary.forbidden if term in vocabulary.allowed]
    if both:
        return f"{both[0]!r} is forbidden and allowed at once"
    unexplained = [name for name, reason in ignored.items() if not reason]
    unexplained += [
        name for name, reason in vocabulary.allowed.items() if not reason and vocabulary.bare_hits(name)
    ]
    if unexplained:
        return f"{unexplained[0]!r} needs a reason"
    outside = [path for path in vocabulary.paths if _leads_outside(PurePosixPath(path))]
    return f"the path {outside[0]!r} must lie inside the root" if outside else None


def _leads_outside(path: PurePosixPath) -> bool:
    return path.is_absolute() or ".." in path.parts
