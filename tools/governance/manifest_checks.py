"""What a plugin's manifest must say."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from video_worker.plugin_registry import PLUGIN_TYPES, Manifest

LISTS = ("input_types", "output_types", "capabilities")
_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_SPOKEN_ID = "a word of letters, digits, _ and -"


@dataclass(slots=True)
class CheckedManifest:
    """A manifest with its problems; ``manifest`` holds the tools that can be tried in spite of them."""

    name: str
    problems: list[str] = field(default_factory=list)
    manifest: Manifest | None = None


def check_manifests(folder: Path, taken: Mapping[str, Manifest]) -> list[CheckedManifest]:
    """Every plugin in a folder; ``taken`` are plugins whose ids are not free any more."""
    owners = dict.fromkeys(taken, "the worker's own plugins")
    checked = []
    for plugin in sorted(path for path in folder.glob("*") if _is_plugin(path)):
        one = _check_manifest(plugin)
        if one.manifest and one.manifest.id in owners:
            one.problems.append(f"its id {one.manifest.id!r} is taken by {owners[one.manifest.id]}")
        elif one.manifest:
            owners[one.manifest.id] = one.name
        checked.append(one)
    return checked


def _is_plugin(path: Path) -> bool:
    return (path / "manifest.json").is_file() or (path / "plugin.py").is_file()


def _check_manifest(plugin: Path) -> CheckedManifest:
    checked = CheckedManifest(f"{plugin.name}/manifest.json")
    try:
        raw = json.loads((plugin / "manifest.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        checked.problems.append("it is missing, so the worker passes over this plugin.py without a word")
        return checked
    except ValueError as error:
        checked.problems.append(f"it is not JSON: {error}")
        return checked
    if not isinstance(raw, dict):
        checked.problems.append("it must be an object with id, name, version, type and tools")
        return checked
    checked.problems += _problems(raw)
    tools = [tool for tool in _list(raw.get("tools")) if not list(_tool_problems(tool))]
    if _matches(_ID, raw.get("id")):
        checked.manifest = Manifest(
            raw["id"], str(raw.get("version")), plugin, {tool["id"]: tool for tool in tools}
        )
    return checked


def _problems(raw: Mapping[str, Any]) -> Iterator[str]:
    if not _matches(_ID, raw.get("id")):
        yield f"id must be {_SPOKEN_ID}, not {raw.get('id')!r}"
    if not _is_text(raw.get("name")):
        yield f"name must be a text, not {raw.get('name')!r}"
    if not _matches(_VERSION, raw.get("version")):
        yield f"version must be like '1.0.0', not {raw.get('version')!r}"
    if raw.get("type") not in PLUGIN_TYPES:
        yield f"type must be one of {', '.join(PLUGIN_TYPES)}, not {raw.get('type')!r}"
    tools = _list(raw.get("tools"))
    if not tools:
        yield "tools must be a list with one tool at least"
    for tool in tools:
        yield from _tool_problems(tool)
    for tool_id, count in Counter(map(_id_of, tools)).items():
        if count > 1 and tool_id is not None:
            yield f"there are {count} tools {tool_id!r}"


def _tool_problems(tool: Any) -> Iterator[str]:
    tool_id = _id_of(tool)
    if tool_id is None:
        yield f"each tool must be an object whose id is {_SPOKEN_ID}"
        return
    for name in LISTS:
        values = _list(tool.get(name))
        if not values or not all(map(_is_text, values)) or len(set(values)) < len(values):
            yield f"{name} of the tool {tool_id!r} must be a list of different words, with one at least"


def _id_of(tool: Any) -> str | None:
    found = tool.get("id") if isinstance(tool, dict) else None
    return found if _matches(_ID, found) else None


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
