"""What a plugin's manifest must say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, ValidationError
from video_worker.plugin_registry import PLUGIN_TYPES, Manifest

from tools.governance.plugin_trial import Checked
from tools.validation_errors import faults


def _each_once(words: list[str]) -> list[str]:
    if len(set(words)) < len(words):
        raise ValueError(f"{max(words, key=words.count)!r} is named twice")
    return words


def _known(kind: str) -> str:
    if kind not in PLUGIN_TYPES:
        raise ValueError(f"must be one of {', '.join(PLUGIN_TYPES)}, not {kind!r}")
    return kind


Id = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]
Text = Annotated[str, Field(pattern=r"\S")]
Words = Annotated[list[Text], Field(min_length=1), AfterValidator(_each_once)]


class ToolFormat(BaseModel):
    """A tool; the names in ``output_types`` are the keys of what it gives."""

    id: Id
    input_types: Words
    output_types: Words
    capabilities: Words


def _of_different_ids(tools: list[ToolFormat]) -> list[ToolFormat]:
    _each_once([tool.id for tool in tools])
    return tools


class ManifestFormat(BaseModel):
    """A ``manifest.json``; `Manifest` is what the worker keeps of it."""

    id: Id
    name: Text
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    type: Annotated[str, AfterValidator(_known)]
    tools: Annotated[list[ToolFormat], Field(min_length=1), AfterValidator(_of_different_ids)]


def check_manifests(folder: Path, taken: Mapping[str, Manifest]) -> Iterator[tuple[Checked, Manifest | None]]:
    """Every plugin in a folder, with a manifest of the tools that can be tried in spite of its problems.

    The ids of ``taken`` are not free any more.
    """
    owners = dict.fromkeys(taken, "the worker's own plugins")
    for plugin in sorted(folder.glob("*")):
        if not any((plugin / name).is_file() for name in ("manifest.json", "plugin.py")):
            continue
        manifest, problems = _read(plugin)
        name = f"{plugin.name}/manifest.json"
        if manifest and manifest.id in owners:
            problems.append(f"its id {manifest.id!r} is taken by {owners[manifest.id]}")
        elif manifest:
            owners[manifest.id] = name
        yield Checked(f"manifest {name}", tuple(problems)), manifest


def _read(plugin: Path) -> tuple[Manifest | None, list[str]]:
    try:
        raw = json.loads((plugin / "manifest.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None, ["it is missing, and without it the worker ignores this plugin.py"]
    except ValueError as error:
        return None, [f"it is not JSON: {error}"]
    wrong: list[tuple[tuple[int | str, ...], str]] = []
    try:
        ManifestFormat.model_validate(raw)
    except ValidationError as error:
        wrong = list(faults(error))
    sentences = [sentence for _, sentence in wrong]
    if {(), ("id",)} & {place[:1] for place, _ in wrong}:
        return None, sentences
    return _usable(raw, plugin, {place[:2] for place, _ in wrong}), sentences


def _usable(raw: Mapping[str, Any], plugin: Path, faulty: set[tuple[int | str, ...]]) -> Manifest:
    """The manifest with those tools in which nothing is wrong."""
    listed = raw["tools"] if isinstance(raw.get("tools"), list) else []
    tools = {tool["id"]: tool for number, tool in enumerate(listed) if ("tools", number) not in faulty}
    return Manifest(raw["id"], str(raw.get("version")), plugin, tools)
