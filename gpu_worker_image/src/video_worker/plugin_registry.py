"""Find plugins by their manifests and make their tools."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, cast, runtime_checkable

from video_jobs.domain.errors import SettingError
from video_jobs.settings import WorkerSettings

from video_worker.dag_runner import Tool

PLUGIN_TYPES = ("yolo", "ocr", "custom")
OPTIONS = ("text_engine", "languages", "classes", "min_confidence")
"""What tools may take of a job's options; the names are those of the job."""

_LISTS = ("input_types", "output_types", "capabilities")
BUILT_IN_PLUGINS = Path(__file__).parent / "plugins"


class Plugin(Protocol):
    """What the function ``create_plugin`` in a plugin's ``plugin.py`` returns."""

    def tool(self, tool_id: str) -> Tool:
        """The tool with this id."""
        ...

    def facts(self) -> Mapping[str, Any]:
        """What its results depend on (model, library versions, precision), for the fingerprint."""
        ...


@runtime_checkable
class ChoosingPlugin(Plugin, Protocol):
    """A plugin of which a job may choose something."""

    def with_options(self, options: Mapping[str, Any]) -> Plugin:
        """The plugin as a job wants it.

        ``options`` has `OPTIONS`: ``text_engine`` ("ppocr", "tesseract" or None), ``languages`` ("eng+deu" or
        None), ``classes`` (a tuple of names, empty for all) and ``min_confidence`` (0-1 or None); None means
        that the settings decide. It is asked twice for each job, so it keeps what takes long to make. Its
        facts do not depend on ``classes`` and ``min_confidence``, which the fingerprint does not contain.

        Raises
        ------
        SettingError
            If this worker has not the text engine or the languages that the job chose.
        UnknownClassError
            If it never finds objects of one of the classes.
        """
        ...


@dataclass(frozen=True, slots=True)
class Manifest:
    """A plugin's manifest; ``tools`` maps tool ids to their input and output types, and their options."""

    id: str
    version: str
    folder: Path
    tools: Mapping[str, Mapping[str, list[str]]]


def load_manifests(*folders: Path) -> dict[str, Manifest]:
    """Every ``<plugin>/manifest.json`` in the folders, by plugin id."""
    manifests: dict[str, Manifest] = {}
    for folder in folders:
        for path in sorted(folder.glob("*/manifest.json")):
            manifest = _read_manifest(path)
            if manifest.id in manifests:
                raise SettingError(f"{path}: the plugin {manifest.id!r} exists already")
            manifests[manifest.id] = manifest
    return manifests


def create_plugin(manifest: Manifest, settings: WorkerSettings) -> Plugin:
    """Import a plugin's ``plugin.py`` and call its ``create_plugin(settings)``.

    Raises
    ------
    SettingError
        If there is no code, or the manifest names options and the plugin cannot take them.
    """
    plugin = cast(Plugin, _module_of(manifest).create_plugin(settings))
    has_options = any(tool.get("options") for tool in manifest.tools.values())
    if has_options and not isinstance(plugin, ChoosingPlugin):
        raise SettingError(
            f"The plugin {manifest.id!r} names options in its manifest, but lacks with_options"
        )
    return plugin


def _module_of(manifest: Manifest) -> ModuleType:
    if manifest.folder.parent == BUILT_IN_PLUGINS:
        return importlib.import_module(f"video_worker.plugins.{manifest.folder.name}.plugin")
    name = f"video_worker_plugin_{manifest.id}"
    spec = importlib.util.spec_from_file_location(name, manifest.folder / "plugin.py")
    if spec is None or spec.loader is None or not (manifest.folder / "plugin.py").is_file():
        raise SettingError(f"The plugin {manifest.id!r} has no plugin.py in {manifest.folder}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _read_manifest(path: Path) -> Manifest:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        tools = {tool["id"]: tool for tool in raw["tools"]}
        lists = [tool[name] for tool in raw["tools"] for name in _LISTS]
        manifest = Manifest(raw["id"], raw["version"], path.parent, tools)
        options = {name for tool in raw["tools"] for name in tool.get("options", ())}
        kind = raw["type"]
    except (ValueError, KeyError, TypeError) as exc:
        raise SettingError(f"{path}: not a plugin manifest ({exc!r})") from exc
    if kind not in PLUGIN_TYPES or not tools or not all(lists):
        raise SettingError(f"{path}: type must be one of {PLUGIN_TYPES}, and no list may be empty")
    if not options <= set(OPTIONS):
        raise SettingError(f"{path}: options must be some of {OPTIONS}")
    return manifest
