"""What a plugin's manifest and a pipeline's definition must say."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, Field, ValidationError, model_validator
from video_jobs.domain.errors import SettingError
from video_worker.pipeline_definition import Node, PipelineDefinition
from video_worker.plugin_registry import OPTIONS, PLUGIN_TYPES, Manifest

from tools.governance.plugin_trial import INITIAL_PAYLOAD, Checked
from tools.validation_errors import faults

# --- manifests ---------------------------------------------------------------------------------------


def _each_once(words: list[str]) -> list[str]:
    if len(set(words)) < len(words):
        raise ValueError(f"{max(words, key=words.count)!r} is named twice")
    return words


def _one_of(known: Collection[str]) -> AfterValidator:
    def check(word: str) -> str:
        if word not in known:
            raise ValueError(f"must be one of {', '.join(known)}, not {word!r}")
        return word

    return AfterValidator(check)


Id = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]
Text = Annotated[str, Field(pattern=r"\S")]
Words = Annotated[list[Text], Field(min_length=1), AfterValidator(_each_once)]


class ToolFormat(BaseModel):
    """A tool; ``output_types`` are the keys of what it gives, ``options`` what it takes of a job's choice."""

    id: Id
    input_types: Words
    output_types: Words
    capabilities: Words
    options: Annotated[list[Annotated[str, _one_of(OPTIONS)]], AfterValidator(_each_once)] = []


def _of_different_ids(tools: list[ToolFormat]) -> list[ToolFormat]:
    _each_once([tool.id for tool in tools])
    return tools


class EngineFormat(BaseModel, extra="forbid"):
    """What an engine of text reading reads: languages as Tesseract calls them, or scripts (ISO 15924)."""

    languages: list[Annotated[str, Field(pattern=r"^[a-z_A-Z]{3,}$")]] = []
    scripts: list[Annotated[str, Field(pattern=r"^[A-Z][a-z]{3}$")]] = []

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if bool(self.languages) == bool(self.scripts):
            raise ValueError("name either languages or scripts")
        _each_once([*self.languages, *self.scripts])
        return self


class ManifestFormat(BaseModel):
    """A ``manifest.json``; `Manifest` is what the worker keeps of it."""

    id: Id
    name: Text
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    type: Annotated[str, _one_of(PLUGIN_TYPES)]
    engines: dict[Id, EngineFormat] = {}
    tools: Annotated[list[ToolFormat], Field(min_length=1), AfterValidator(_of_different_ids)]


def check_manifests(
    folder: Path, taken: Mapping[str, Manifest], languages: Collection[str] = ()
) -> Iterator[tuple[Checked, Manifest | None]]:
    """Every plugin in a folder, with a manifest of the tools that can be tried in spite of its problems.

    The ids of ``taken`` are not free any more; ``languages`` are those that Tesseract has data for.
    """
    owners = dict.fromkeys(taken, "the worker's own plugins")
    for plugin in sorted(folder.glob("*")):
        if not any((plugin / name).is_file() for name in ("manifest.json", "plugin.py")):
            continue
        manifest, problems = _read_manifest(plugin, languages)
        name = f"{plugin.name}/manifest.json"
        if manifest and owners.setdefault(manifest.id, name) != name:
            problems.append(f"its id {manifest.id!r} is taken by {owners[manifest.id]}")
        yield Checked(f"manifest {name}", tuple(problems)), manifest


def _read_manifest(plugin: Path, languages: Collection[str]) -> tuple[Manifest | None, list[str]]:
    try:
        raw = json.loads((plugin / "manifest.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None, ["it is missing, and without it the worker ignores this plugin.py"]
    except ValueError as error:
        return None, [f"it is not JSON: {error}"]
    wrong: list[tuple[tuple[int | str, ...], str]] = []
    unlike: list[str] = []
    try:
        unlike = _unlike_installed(ManifestFormat.model_validate(raw).engines, languages)
    except ValidationError as error:
        wrong = list(faults(error))
    sentences = [*(sentence for _, sentence in wrong), *unlike]
    if {(), ("id",)} & {place[:1] for place, _ in wrong}:
        return None, sentences
    listed = raw["tools"] if isinstance(raw.get("tools"), list) else []
    faulty = {place[:2] for place, _ in wrong}
    usable = {tool["id"]: tool for number, tool in enumerate(listed) if ("tools", number) not in faulty}
    return Manifest(raw["id"], str(raw.get("version")), plugin, usable), sentences


def _unlike_installed(engines: Mapping[str, EngineFormat], languages: Collection[str]) -> list[str]:
    """Where the languages that a manifest names for Tesseract differ from those that are installed."""
    if "tesseract" not in engines:
        return []
    named, there = set(engines["tesseract"].languages), set(languages)
    place = "engines.tesseract.languages"
    missing = [f"{place}: there is no Tesseract data for {name!r}" for name in sorted(named - there)]
    return missing + [f"{place}: {name!r} is installed, but not named" for name in sorted(there - named)]


# --- pipelines ---------------------------------------------------------------------------------------


def check_pipelines(folder: Path, manifests: Mapping[str, Manifest]) -> Iterator[Checked]:
    """Every pipeline of a folder against the plugins that there are.

    The graph is checked by the worker's own code, which tells its first fault.
    """
    owners: dict[Any, str] = {}
    for path in sorted(folder.glob("*.json")):
        definition, problems = _read_pipeline(path, manifests)
        if definition and owners.setdefault(definition.id, path.name) != path.name:
            problems.append(f"its id {definition.id!r} is taken by {owners[definition.id]}")
        steps = " -> ".join(definition.order) if definition else ""
        yield Checked(f"pipeline {path.name}", tuple(problems), steps)


def _read_pipeline(
    path: Path, manifests: Mapping[str, Manifest]
) -> tuple[PipelineDefinition | None, list[str]]:
    try:
        text = path.read_text(encoding="utf-8")
        definition = PipelineDefinition.from_json(text, path.name)
    except SettingError as error:
        first = error.message.removeprefix(f"{path.name}: ")
        return None, [first, *_unknown_tools(_legible_nodes(text), manifests)]
    except UnicodeDecodeError as error:
        return None, [f"not a pipeline definition ({error})"]
    named = {"id": definition.id, "name": definition.name}
    problems = [
        f"{word} must be a text, not {value!r}"
        for word, value in named.items()
        if not isinstance(value, str) or not value.strip()
    ]
    problems += _unknown_tools(definition.nodes.values(), manifests)
    return definition, [*problems, *_unmet_types(definition, manifests)]


def _legible_nodes(text: str) -> list[Node]:
    """The nodes of a definition that the worker refuses, as far as they can be read."""
    try:
        nodes = json.loads(text)["nodes"]
        return [Node(str(node["id"]), node["plugin_id"], node["tool_id"]) for node in nodes]
    except (ValueError, KeyError, TypeError):
        return []


def _unknown_tools(nodes: Iterable[Node], manifests: Mapping[str, Manifest]) -> Iterator[str]:
    for node in nodes:
        manifest = manifests.get(node.plugin_id)
        if manifest is None:
            yield f"node {node.id!r} needs a plugin {node.plugin_id!r}, and there is none"
        elif node.tool_id not in manifest.tools:
            yield f"node {node.id!r} needs a tool {node.tool_id!r}, which the plugin {node.plugin_id!r} lacks"


def _unmet_types(definition: PipelineDefinition, manifests: Mapping[str, Manifest]) -> Iterator[str]:
    """A node is given the frame and what the nodes right before it give, as `DagRunner` does it."""

    def types(name: str, kind: str) -> set[str]:
        node = definition.nodes[name]
        tools = manifests[node.plugin_id].tools if node.plugin_id in manifests else {}
        return set(tools.get(node.tool_id, {}).get(kind, []))

    for name in definition.order:
        given = INITIAL_PAYLOAD.union(*(types(one, "output_types") for one in definition.predecessors[name]))
        for missing in sorted(types(name, "input_types") - given):
            yield f"node {name!r} needs {missing!r}, which neither the frame nor a node right before it gives"
