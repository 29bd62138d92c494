"""Each fault of a manifest, a pipeline or a tool's answer has its sentence, and all of them are told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from video_worker.pipeline_service import BUILT_IN_PIPELINES
from video_worker.plugin_registry import BUILT_IN_PLUGINS, Manifest, load_manifests

from tools.governance.manifest_checks import check_manifests
from tools.governance.pipeline_checks import check_pipelines
from tools.governance.tool_answers import answer_of

TOOL = {"id": "t", "input_types": ["image"], "output_types": ["x"], "capabilities": ["test"]}
MANIFEST = {"id": "mine", "name": "Mine", "version": "1.0.0", "type": "custom", "tools": [TOOL]}


def problems_of_manifest(folder: Path, raw: Any) -> list[str]:
    (folder / "mine").mkdir()
    text = raw if isinstance(raw, str) else json.dumps(raw)
    (folder / "mine" / "manifest.json").write_text(text, encoding="utf-8")
    ((checked, _),) = check_manifests(folder, {})
    return list(checked.problems)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"id": None}, "id: Input should be a valid string"),
        ({"id": "my plugin"}, "id: String should match pattern '^[A-Za-z][A-Za-z0-9_-]*$'"),
        ({"name": " "}, "name: String should match pattern"),
        ({"version": 1}, "version: Input should be a valid string"),
        ({"version": "one"}, "version: String should match pattern"),
        ({"type": "other"}, "type: must be one of yolo, ocr, custom, not 'other'"),
        ({"type": ["yolo"]}, "type: Input should be a valid string"),
        ({"tools": []}, "tools: List should have at least 1 item"),
        ({"tools": {"t": TOOL}}, "tools: Input should be a valid list"),
        ({"tools": ["t"]}, "tools.0: Input should be a valid dictionary"),
        ({"tools": [TOOL | {"id": 5}]}, "tools.0.id: Input should be a valid string"),
        ({"tools": [TOOL, TOOL]}, "tools: 't' is named twice"),
    ],
)
def test_a_fault_of_a_manifest_is_told(tmp_path: Path, change: dict[str, Any], problem: str) -> None:
    (told,) = problems_of_manifest(tmp_path, MANIFEST | change)
    assert told.startswith(problem)


@pytest.mark.parametrize("name", ["input_types", "output_types", "capabilities"])
@pytest.mark.parametrize("value", [None, [], "image", [""], [5], ["x", "x"]])
def test_each_list_of_a_tool_needs_different_words(tmp_path: Path, name: str, value: Any) -> None:
    (told,) = problems_of_manifest(tmp_path, MANIFEST | {"tools": [TOOL | {name: value}]})
    assert told.startswith(f"tools.0.{name}")


@pytest.mark.parametrize(("text", "problem"), [("{", "it is not JSON"), ("[]", "Input should be a valid")])
def test_what_is_no_manifest_is_told(tmp_path: Path, text: str, problem: str) -> None:
    (told,) = problems_of_manifest(tmp_path, text)
    assert told.startswith(problem)


def test_all_faults_of_a_manifest_are_told_at_once(tmp_path: Path) -> None:
    bad_tool = {"id": "t", "input_types": [], "output_types": [], "capabilities": []}
    told = problems_of_manifest(tmp_path, {"tools": [bad_tool]})
    of_tool = [f"tools.0.{name}" for name in ("input_types", "output_types", "capabilities")]
    assert [sentence.split(":")[0] for sentence in told] == ["id", "name", "version", "type", *of_tool]


def test_only_the_tools_without_a_fault_can_be_tried(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    raw = MANIFEST | {"name": "", "tools": [TOOL | {"id": "bad", "input_types": []}, TOOL]}
    (tmp_path / "mine" / "manifest.json").write_text(json.dumps(raw), encoding="utf-8")
    ((_, manifest),) = check_manifests(tmp_path, {})
    assert manifest is not None
    assert list(manifest.tools) == ["t"]
    # AND nothing can be tried without an id
    (tmp_path / "mine" / "manifest.json").write_text(json.dumps(MANIFEST | {"id": ""}), encoding="utf-8")
    ((_, manifest),) = check_manifests(tmp_path, {})
    assert manifest is None


def test_an_id_that_is_taken_and_a_missing_manifest_are_told(tmp_path: Path) -> None:
    for folder, plugin_id in (("a", "yolo"), ("b", "mine"), ("c", "mine")):
        (tmp_path / folder).mkdir()
        text = json.dumps(MANIFEST | {"id": plugin_id})
        (tmp_path / folder / "manifest.json").write_text(text, encoding="utf-8")
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "plugin.py").touch()
    (tmp_path / "e").mkdir()
    checked = [one for one, _ in check_manifests(tmp_path, load_manifests(BUILT_IN_PLUGINS))]
    told = {one.thing.removeprefix("manifest "): list(one.problems) for one in checked}
    assert told == {
        "a/manifest.json": ["its id 'yolo' is taken by the worker's own plugins"],
        "b/manifest.json": [],
        "c/manifest.json": ["its id 'mine' is taken by b/manifest.json"],
        "d/manifest.json": ["it is missing, and without it the worker ignores this plugin.py"],
    }


def node(name: str, tool: str, plugin: str = "yolo") -> dict[str, str]:
    return {"id": name, "plugin_id": plugin, "tool_id": tool}


PIPELINE: dict[str, Any] = {
    "id": "mine",
    "name": "Mine",
    "nodes": [node("find", "detect"), node("read", "read_regions", "ocr")],
    "edges": [{"from_node": "find", "to_node": "read"}],
    "entry_nodes": ["find"],
    "output_nodes": ["read"],
}


def problems_of_pipeline(folder: Path, raw: Any, manifests: dict[str, Manifest] | None = None) -> list[str]:
    content = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    (folder / "mine.json").write_bytes(content)
    (checked,) = check_pipelines(folder, manifests or load_manifests(BUILT_IN_PLUGINS))
    assert checked.thing == "pipeline mine.json"
    return list(checked.problems)


def test_what_is_right_has_no_problem(tmp_path: Path) -> None:
    assert problems_of_manifest(tmp_path, MANIFEST) == []
    assert problems_of_pipeline(tmp_path, PIPELINE) == []
    checked = list(check_pipelines(BUILT_IN_PIPELINES, load_manifests(BUILT_IN_PLUGINS)))
    assert [one.thing for one in checked if one.problems] == []
    assert "pipeline yolo_ocr.json" in [one.thing for one in checked]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"id": 5}, "id must be a text, not 5"),
        ({"name": ""}, "name must be a text, not ''"),
        ({"nodes": []}, "it has no nodes, or two of the same id"),
        ({"nodes": [node("find", "detect")] * 2}, "it has no nodes, or two of the same id"),
        ({"entry_nodes": ["lost"]}, "unknown node 'lost'"),
        ({"output_nodes": ["lost"]}, "unknown node 'lost'"),
        ({"edges": [{"from_node": "find", "to_node": "lost"}]}, "unknown node 'lost'"),
        ({"entry_nodes": []}, "it names no entry_nodes or no output_nodes"),
        (
            {"edges": [*PIPELINE["edges"], {"from_node": "read", "to_node": "find"}]},
            "its edges form a cycle",
        ),
        ({"edges": []}, "node 'read' cannot be reached from the entry nodes"),
        ({"output_nodes": ["find"]}, "its output_nodes must be exactly the nodes without a successor"),
        (
            {"nodes": [node("find", "detect", "yollo"), node("read", "read", "ocr")]},
            "node 'find' needs a plugin 'yollo', and there is none",
        ),
        (
            {"nodes": [node("find", "detect"), node("read", "spell", "ocr")]},
            "node 'read' needs a tool 'spell', which the plugin 'ocr' lacks",
        ),
        (
            {"nodes": [node("find", "read", "ocr"), node("read", "read_regions", "ocr")]},
            "node 'read' needs 'detections', which neither the frame nor a node right before it gives",
        ),
    ],
)
def test_a_fault_of_a_pipeline_is_told(tmp_path: Path, change: dict[str, Any], problem: str) -> None:
    assert problems_of_pipeline(tmp_path, PIPELINE | change) == [problem]


@pytest.mark.parametrize(
    "content",
    [b"{", b"{}", b"[]", b"\xff", b'"text"', json.dumps(PIPELINE | {"entry_nodes": [[1]]}).encode()],
)
def test_what_is_no_pipeline_is_told(tmp_path: Path, content: bytes) -> None:
    (told,) = problems_of_pipeline(tmp_path, content)
    assert told.startswith("not a pipeline definition")


def test_what_a_node_further_back_gives_does_not_meet_a_need(tmp_path: Path) -> None:
    # GIVEN detections that are found two nodes before the one that needs them
    nodes = [node("find", "detect"), node("between", "read", "ocr"), node("read", "read_regions", "ocr")]
    edges = [{"from_node": a, "to_node": b} for a, b in (("find", "between"), ("between", "read"))]
    # WHEN the pipeline is checked, THEN the need is not met: a node is given what comes right before it
    (told,) = problems_of_pipeline(tmp_path, PIPELINE | {"nodes": nodes, "edges": edges})
    assert told.startswith("node 'read' needs 'detections'")


def test_all_faults_of_a_pipeline_are_told_at_once(tmp_path: Path) -> None:
    nodes = [node("find", "nope"), node("read", "read_regions", "ocr"), node("lost", "detect", "none")]
    assert problems_of_pipeline(tmp_path, PIPELINE | {"nodes": nodes}) == [
        "node 'lost' cannot be reached from the entry nodes",
        "node 'find' needs a tool 'nope', which the plugin 'yolo' lacks",
        "node 'lost' needs a plugin 'none', and there is none",
    ]
    assert len(problems_of_pipeline(tmp_path, PIPELINE | {"nodes": nodes[:2], "name": ""})) == 3


def test_two_pipelines_of_one_id_are_told(tmp_path: Path) -> None:
    (tmp_path / "also.json").write_text(json.dumps(PIPELINE), encoding="utf-8")
    (tmp_path / "mine.json").write_text(json.dumps(PIPELINE), encoding="utf-8")
    also, mine = check_pipelines(tmp_path, load_manifests(BUILT_IN_PLUGINS))
    assert also.problems == ()
    assert mine.problems == ("its id 'mine' is taken by also.json",)


DETECTION = {"xyxy": [1.0, 2.0, 3.0, 4.0], "confidence": 0.5, "class_id": 0, "class_name": "car"}
BLOCK: dict[str, Any] = {
    "text": "EXIT",
    "confidence": 93.0,
    "bbox": {"x": 0, "y": 0, "width": 1, "height": 1},
}
BLOCK |= {"level": 5, "block_num": 1, "line_num": 1}
FOUND = {"detections": [DETECTION | {"track": 7}], "count": 1, "classes": {"car": 1}}
READ = {"text": "EXIT", "blocks": [BLOCK], "confidence": 0.93, "language": "eng", "error": None}
RIGHT: dict[str, Any] = FOUND | READ | {"own": {"anything": [1, "x"]}}


def test_an_answer_as_documented_has_no_problem() -> None:
    answer = answer_of(RIGHT, RIGHT.keys())
    assert answer.problems == ()
    assert answer.outputs == RIGHT


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("detections.0.xyxy", [DETECTION | {"xyxy": [1, 2, 3]}]),
        ("detections.0.xyxy", [DETECTION | {"xyxy": [1, 2, 3, 4, 5]}]),
        ("detections.0.xyxy.3", [DETECTION | {"xyxy": [1, 2, 3, "4"]}]),
        ("detections.0.confidence", [DETECTION | {"confidence": 91}]),
        ("detections.0.class_id", [DETECTION | {"class_id": "0"}]),
        ("detections.0.class_name", [DETECTION | {"class_name": 0}]),
        ("detections.0.confidence", [{"xyxy": [1, 2, 3, 4]}]),
        ("detections", {}),
        ("count", True),
        ("count", 1.5),
        ("classes", ["car"]),
        ("classes.car", {"car": "one"}),
        ("text", None),
        ("blocks.0.text", [BLOCK | {"text": 5}]),
        ("blocks.0.confidence", [BLOCK | {"confidence": 101}]),
        ("blocks.0.bbox", [BLOCK | {"bbox": [0, 0, 1, 1]}]),
        ("blocks.0.bbox.x", [BLOCK | {"bbox": {"x": -1, "y": 0, "width": 1, "height": 1}}]),
        ("blocks.0.line_num", [BLOCK | {"line_num": None}]),
        ("blocks", None),
        ("confidence", 93.0),
        ("language", None),
        ("error", 5),
    ],
)
def test_names_of_the_result_format_mean_what_is_documented(place: str, value: Any) -> None:
    name = place.partition(".")[0]
    answer = answer_of(RIGHT | {name: value}, RIGHT.keys())
    (problem,) = answer.problems
    assert problem.startswith(f"not in the format of results: {place}: ")
    assert answer.outputs.keys() == RIGHT.keys() - {name}


@pytest.mark.parametrize("key", [*DETECTION, *BLOCK, *BLOCK["bbox"]])
def test_every_key_of_detections_and_blocks_is_needed(key: str) -> None:
    def lacking(whole: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in whole.items() if name != key}

    block = lacking(BLOCK | {"bbox": lacking(BLOCK["bbox"])})
    answer = answer_of({"detections": [lacking(DETECTION)], "blocks": [block]}, ["detections", "blocks"])
    assert [problem for problem in answer.problems if f".{key}: Field required" in problem] != []
