"""Each fault of a manifest, a pipeline or a tool's answer has its sentence, and all of them are told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from video_worker.pipeline_service import BUILT_IN_PIPELINES
from video_worker.plugin_registry import BUILT_IN_PLUGINS, Manifest, load_manifests

from tools.governance.definitions import check_manifests, check_pipelines
from tools.governance.plugin_trial import answer_of, ignored_options

LISTS = ("input_types", "output_types", "capabilities")
TOOL = {"id": "t", "input_types": ["image"], "output_types": ["x"], "capabilities": ["test"]}
MANIFEST = {"id": "mine", "name": "Mine", "version": "1.0.0", "type": "custom", "tools": [TOOL]}


def checked_manifest(folder: Path, raw: Any) -> tuple[list[str], Manifest | None]:
    (folder / "mine").mkdir(exist_ok=True)
    text = raw if isinstance(raw, str) else json.dumps(raw)
    (folder / "mine" / "manifest.json").write_text(text, encoding="utf-8")
    ((checked, manifest),) = check_manifests(folder, {})
    return list(checked.problems), manifest


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (MANIFEST | {"id": None}, "id: Input should be a valid string"),
        (MANIFEST | {"id": "my plugin"}, "id: String should match pattern '^[A-Za-z][A-Za-z0-9_-]*$'"),
        (MANIFEST | {"name": " "}, "name: String should match pattern"),
        (MANIFEST | {"version": 1}, "version: Input should be a valid string"),
        (MANIFEST | {"version": "one"}, "version: String should match pattern"),
        (MANIFEST | {"type": "other"}, "type: must be one of yolo, ocr, custom, not 'other'"),
        (MANIFEST | {"type": ["yolo"]}, "type: Input should be a valid string"),
        (MANIFEST | {"tools": []}, "tools: List should have at least 1 item"),
        (MANIFEST | {"tools": {"t": TOOL}}, "tools: Input should be a valid list"),
        (MANIFEST | {"tools": ["t"]}, "tools.0: Input should be a valid dictionary"),
        (MANIFEST | {"tools": [TOOL | {"id": 5}]}, "tools.0.id: Input should be a valid string"),
        (MANIFEST | {"tools": [TOOL, TOOL]}, "tools: 't' is named twice"),
        *(
            (MANIFEST | {"tools": [TOOL | {name: value}]}, f"tools.0.{name}")
            for name in LISTS
            for value in (None, [], "image", [""], [5], ["x", "x"])
        ),
        (
            MANIFEST | {"tools": [TOOL | {"options": "classes"}]},
            "tools.0.options: Input should be a valid list",
        ),
        (
            MANIFEST | {"tools": [TOOL | {"options": ["colour"]}]},
            "tools.0.options.0: must be one of text_engine, languages, classes, min_confidence, not 'colour'",
        ),
        (
            MANIFEST | {"tools": [TOOL | {"options": ["classes", "classes"]}]},
            "tools.0.options: 'classes' is named twice",
        ),
        (MANIFEST | {"engines": []}, "engines: Input should be a valid dictionary"),
        (MANIFEST | {"engines": {"ppocr": {}}}, "engines.ppocr: name either languages or scripts"),
        (
            MANIFEST | {"engines": {"ppocr": {"languages": ["eng"], "scripts": ["Latn"]}}},
            "engines.ppocr: name either languages or scripts",
        ),
        (MANIFEST | {"engines": {"ppocr": {"scripts": ["latin"]}}}, "engines.ppocr.scripts.0: String should"),
        (
            MANIFEST | {"engines": {"ppocr": {"scripts": ["Latn"] * 2}}},
            "engines.ppocr: 'Latn' is named twice",
        ),
        (MANIFEST | {"engines": {"ppocr": {"models": ["x"]}}}, "engines.ppocr.models: Extra inputs"),
        ("{", "it is not JSON"),
        ("[]", "Input should be a valid"),
    ],
)
def test_a_fault_of_a_manifest_is_told(tmp_path: Path, raw: Any, problem: str) -> None:
    (told,), _ = checked_manifest(tmp_path, raw)
    assert told.startswith(problem)


def test_languages_that_differ_from_the_installed_ones_are_told(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    engines = {"tesseract": {"languages": ["eng", "tlh"]}, "ppocr": {"scripts": ["Latn"]}}
    text = json.dumps(MANIFEST | {"engines": engines})
    (tmp_path / "mine" / "manifest.json").write_text(text, encoding="utf-8")
    ((same, _),) = check_manifests(tmp_path, {}, ["tlh", "eng"])
    assert same.problems == ()
    ((other, manifest),) = check_manifests(tmp_path, {}, ["eng", "deu"])
    assert other.problems == (
        "engines.tesseract.languages: there is no Tesseract data for 'tlh'",
        "engines.tesseract.languages: 'deu' is installed, but not named",
    )
    assert manifest is not None
    # AND a plugin without Tesseract need not name what is installed
    assert checked_manifest(tmp_path, MANIFEST)[0] == []


def test_all_faults_of_a_manifest_are_told_at_once(tmp_path: Path) -> None:
    told, _ = checked_manifest(tmp_path, {"tools": [{"id": "t"} | dict.fromkeys(LISTS, ())]})
    places = ["id", "name", "version", "type", *(f"tools.0.{name}" for name in LISTS)]
    assert [sentence.split(":")[0] for sentence in told] == places


def test_only_the_tools_without_a_fault_can_be_tried(tmp_path: Path) -> None:
    raw = MANIFEST | {"name": "", "tools": [TOOL | {"id": "bad", "input_types": []}, TOOL]}
    _, manifest = checked_manifest(tmp_path, raw)
    assert manifest is not None
    assert list(manifest.tools) == ["t"]
    # AND nothing can be tried without an id
    assert checked_manifest(tmp_path, MANIFEST | {"id": ""})[1] is None


def test_an_id_that_is_taken_and_a_missing_manifest_are_told(tmp_path: Path) -> None:
    for folder, plugin_id in (("a", "yolo"), ("b", "mine"), ("c", "mine"), ("d", ""), ("e", "")):
        (tmp_path / folder).mkdir()
        text = json.dumps(MANIFEST | {"id": plugin_id})
        if plugin_id:
            (tmp_path / folder / "manifest.json").write_text(text, encoding="utf-8")
    (tmp_path / "d" / "plugin.py").touch()
    checked = [one for one, _ in check_manifests(tmp_path, load_manifests(BUILT_IN_PLUGINS))]
    assert {one.thing.removeprefix("manifest "): list(one.problems) for one in checked} == {
        "a/manifest.json": ["its id 'yolo' is taken by the worker's own plugins"],
        "b/manifest.json": [],
        "c/manifest.json": ["its id 'mine' is taken by b/manifest.json"],
        "d/manifest.json": ["it is missing, and without it the worker ignores this plugin.py"],
    }


# --- pipelines ---------------------------------------------------------------------------------------


def nodes(**tools: str) -> list[dict[str, str]]:
    """Nodes by their names, each as ``plugin.tool``."""
    split = ((name, *tool.split(".")) for name, tool in tools.items())
    return [{"id": name, "plugin_id": plugin, "tool_id": tool} for name, plugin, tool in split]


def edge(start: str, end: str) -> dict[str, str]:
    return {"from_node": start, "to_node": end}


PIPELINE: dict[str, Any] = {
    "id": "mine",
    "name": "Mine",
    "nodes": nodes(find="yolo.detect", read="ocr.read_regions"),
    "edges": [edge("find", "read")],
    "entry_nodes": ["find"],
    "output_nodes": ["read"],
}


def problems_of_pipeline(folder: Path, raw: Any) -> list[str]:
    content = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    (folder / "mine.json").write_bytes(content)
    (checked,) = check_pipelines(folder, load_manifests(BUILT_IN_PLUGINS))
    assert checked.thing == "pipeline mine.json"
    return list(checked.problems)


def test_what_is_right_has_no_problem(tmp_path: Path) -> None:
    assert checked_manifest(tmp_path, MANIFEST)[0] == []
    assert problems_of_pipeline(tmp_path, PIPELINE) == []
    checked = list(check_pipelines(BUILT_IN_PIPELINES, load_manifests(BUILT_IN_PLUGINS)))
    assert [one.thing for one in checked if one.problems] == []
    assert "pipeline yolo_ocr.json" in [one.thing for one in checked]


NOT_GIVEN = "needs 'detections', which neither the frame nor a node right before it gives"


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        ({"id": 5}, ["id must be a text, not 5"]),
        ({"name": ""}, ["name must be a text, not ''"]),
        ({"nodes": []}, ["it has no nodes, or two of the same id"]),
        ({"nodes": nodes(find="yolo.detect") * 2}, ["it has no nodes, or two of the same id"]),
        ({"entry_nodes": ["lost"]}, ["unknown node 'lost'"]),
        ({"output_nodes": ["lost"]}, ["unknown node 'lost'"]),
        ({"edges": [edge("find", "lost")]}, ["unknown node 'lost'"]),
        ({"entry_nodes": []}, ["it names no entry_nodes or no output_nodes"]),
        ({"edges": [edge("find", "read"), edge("read", "find")]}, ["its edges form a cycle"]),
        ({"edges": []}, ["node 'read' cannot be reached from the entry nodes"]),
        ({"output_nodes": ["find"]}, ["its output_nodes must be exactly the nodes without a successor"]),
        (
            {"nodes": nodes(find="yollo.detect", read="ocr.read")},
            ["node 'find' needs a plugin 'yollo', and there is none"],
        ),
        (
            {"nodes": nodes(find="yolo.detect", read="ocr.spell")},
            ["node 'read' needs a tool 'spell', which the plugin 'ocr' lacks"],
        ),
        ({"nodes": nodes(find="ocr.read", read="ocr.read_regions")}, [f"node 'read' {NOT_GIVEN}"]),
        (  # what a node further back gives does not meet a need
            {
                "nodes": nodes(find="yolo.detect", between="ocr.read", read="ocr.read_regions"),
                "edges": [edge("find", "between"), edge("between", "read")],
            },
            [f"node 'read' {NOT_GIVEN}"],
        ),
        (  # all faults are told at once
            {"nodes": nodes(find="yolo.nope", read="ocr.read_regions", lost="none.detect")},
            [
                "node 'lost' cannot be reached from the entry nodes",
                "node 'find' needs a tool 'nope', which the plugin 'yolo' lacks",
                "node 'lost' needs a plugin 'none', and there is none",
            ],
        ),
        (
            {"nodes": nodes(find="yolo.nope", read="ocr.read_regions"), "name": ""},
            [
                "name must be a text, not ''",
                "node 'find' needs a tool 'nope', which the plugin 'yolo' lacks",
                f"node 'read' {NOT_GIVEN}",
            ],
        ),
    ],
)
def test_faults_of_a_pipeline_are_told(tmp_path: Path, change: dict[str, Any], problems: list[str]) -> None:
    assert problems_of_pipeline(tmp_path, PIPELINE | change) == problems


@pytest.mark.parametrize(
    "content",
    [b"{", b"{}", b"[]", b"\xff", b'"text"', json.dumps(PIPELINE | {"entry_nodes": [[1]]}).encode()],
)
def test_what_is_no_pipeline_is_told(tmp_path: Path, content: bytes) -> None:
    (told,) = problems_of_pipeline(tmp_path, content)
    assert told.startswith("not a pipeline definition")


def test_two_pipelines_of_one_id_are_told(tmp_path: Path) -> None:
    for name in ("also.json", "mine.json"):
        (tmp_path / name).write_text(json.dumps(PIPELINE), encoding="utf-8")
    also, mine = check_pipelines(tmp_path, load_manifests(BUILT_IN_PLUGINS))
    assert also.problems == ()
    assert mine.problems == ("its id 'mine' is taken by also.json",)


# --- answers -----------------------------------------------------------------------------------------

DETECTION: dict[str, Any] = {
    "xyxy": [1.0, 2.0, 3.0, 4.0],
    "confidence": 0.5,
    "class_id": 0,
    "class_name": "car",
}
BOX = {"x": 0, "y": 0, "width": 1, "height": 1}
BLOCK: dict[str, Any] = {"text": "EXIT", "confidence": 93.0, "bbox": BOX}
BLOCK |= {"level": 5, "block_num": 1, "line_num": 1}
FOUND = {"detections": [DETECTION | {"track": 7}], "count": 1, "classes": {"car": 1}}
READ = {"text": "EXIT", "blocks": [BLOCK], "confidence": 0.93, "language": "eng", "error": None}
RIGHT: dict[str, Any] = FOUND | READ | {"own": {"anything": [1, "x"]}}


def test_an_answer_as_documented_has_no_problem() -> None:
    answer = answer_of(RIGHT, RIGHT.keys())
    assert (answer.problems, answer.outputs) == ((), RIGHT)


def lacking(whole: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in whole.items() if name != key}


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("detections.0.xyxy", [DETECTION | {"xyxy": [1, 2, 3]}]),
        ("detections.0.xyxy", [DETECTION | {"xyxy": [1, 2, 3, 4, 5]}]),
        ("detections.0.xyxy.3", [DETECTION | {"xyxy": [1, 2, 3, "4"]}]),
        ("detections.0.confidence", [DETECTION | {"confidence": 91}]),
        ("detections.0.class_id", [DETECTION | {"class_id": "0"}]),
        ("detections.0.class_name", [DETECTION | {"class_name": 0}]),
        ("detections", {}),
        ("count", True),
        ("count", 1.5),
        ("classes", ["car"]),
        ("classes.car", {"car": "one"}),
        ("text", None),
        ("blocks.0.text", [BLOCK | {"text": 5}]),
        ("blocks.0.confidence", [BLOCK | {"confidence": 101}]),
        ("blocks.0.bbox", [BLOCK | {"bbox": [0, 0, 1, 1]}]),
        ("blocks.0.bbox.x", [BLOCK | {"bbox": BOX | {"x": -1}}]),
        ("blocks.0.line_num", [BLOCK | {"line_num": None}]),
        ("blocks", None),
        ("confidence", 93.0),
        ("language", None),
        ("error", 5),
        # every key is needed
        *((f"detections.0.{key}", [lacking(DETECTION, key)]) for key in DETECTION),
        *((f"blocks.0.{key}", [lacking(BLOCK, key)]) for key in BLOCK),
        *((f"blocks.0.bbox.{key}", [BLOCK | {"bbox": lacking(BOX, key)}]) for key in BOX),
    ],
)
def test_names_of_the_result_format_mean_what_is_documented(place: str, value: Any) -> None:
    name = place.partition(".")[0]
    answer = answer_of(RIGHT | {name: value}, RIGHT.keys())
    (problem,) = answer.problems
    assert problem.startswith(f"not in the format of results: {place}: ")
    assert answer.outputs.keys() == RIGHT.keys() - {name}


CAR, SIGN = DETECTION, DETECTION | {"class_name": "sign", "confidence": 0.9}
ASKED = "it does not choose its detections by {!r}, which its options name"


@pytest.mark.parametrize(
    ("options", "kept", "problems"),
    [
        ((), (), []),
        (("classes", "min_confidence"), ("classes", "min_confidence"), []),
        (("classes", "min_confidence"), ("classes",), [ASKED.format("min_confidence")]),
        (("classes",), ("min_confidence",), [ASKED.format("classes")]),
    ],
)
def test_an_option_that_a_tool_declares_and_ignores_is_told(
    options: tuple[str, ...], kept: tuple[str, ...], problems: list[str]
) -> None:
    def ask(chosen: Mapping[str, Any]) -> list[Any]:
        classes = chosen.get("classes", ()) if "classes" in kept else ()
        least = chosen.get("min_confidence", 0.0) if "min_confidence" in kept else 0.0
        found = [one for one in (CAR, SIGN) if not classes or one["class_name"] in classes]
        return [one for one in found if one["confidence"] >= least]

    assert list(ignored_options(options, [CAR, SIGN], ask)) == problems
