"""Pipeline definitions, the DAG runner and plugins."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from video_jobs.domain.errors import SettingError, UnknownPipelineError, UnsupportedOptionError
from video_jobs.domain.sampling import EVERY_PICTURE, Sampling
from video_jobs.settings import WorkerSettings
from video_worker.dag_runner import DagRunner, Payload
from video_worker.part_ranges import Excerpt
from video_worker.pipeline_definition import PipelineDefinition
from video_worker.pipeline_service import VideoFilePipelineService
from video_worker.plugin_registry import BUILT_IN_PLUGINS, Manifest, create_plugin, load_manifests
from video_worker.plugins.ocr.tesseract_reader import words_of_tsv
from video_worker.video.open_video import VideoOpener
from video_worker.video.video_reader import VideoReader

from tests.support.numbered_video import NumberedVideo

SUPPORT = Path(__file__).parents[1] / "support"


def definition(edges: list[tuple[str, str]], nodes: str = "abc", **changes: Any) -> str:
    raw = {
        "id": "p",
        "name": "p",
        "nodes": [{"id": name, "plugin_id": "x", "tool_id": "t"} for name in nodes],
        "edges": [{"from_node": a, "to_node": b} for a, b in edges],
        "entry_nodes": ["a"],
        "output_nodes": ["c"],
    }
    return json.dumps(raw | changes)


class NamedTool:
    def __init__(self, name: str, calls: list[tuple[str, set[str]]]) -> None:
        self._name, self._calls = name, calls

    def run(self, payload: Payload) -> dict[str, Any]:
        self._calls.append((self._name, set(payload)))
        return {self._name: True, "last": self._name, "image": "must not get out"}


def test_nodes_run_in_order_with_the_outputs_of_their_predecessors() -> None:
    calls: list[tuple[str, set[str]]] = []
    chain = PipelineDefinition.from_json(definition([("a", "b"), ("b", "c")]), "test")
    tools = {name: NamedTool(name, calls) for name in "abc"}
    result = DagRunner(chain, tools).run({"frame_index": 0, "image": object()})
    assert result == {"a": True, "b": True, "c": True, "last": "c"}
    assert calls == [
        ("a", {"frame_index", "image"}),
        ("b", {"frame_index", "image", "a", "last"}),
        ("c", {"frame_index", "image", "b", "last"}),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "not a pipeline"),
        (definition([("a", "b"), ("b", "c"), ("c", "b")]), "cycle"),
        (definition([("a", "z")]), "unknown node 'z'"),
        (definition([("a", "c")]), "cannot be reached"),
        (definition([("a", "c")], nodes="ac", output_nodes=["a"]), "without a successor"),
        (definition([], nodes=""), "no nodes"),
        (definition([("a", "c")], nodes="ac", entry_nodes=[]), "entry_nodes"),
        (definition([("a", "c")], nodes="ac", entry_nodes=[["a"]]), "not a pipeline"),
    ],
)
def test_a_wrong_definition_is_refused(text: str, problem: str) -> None:
    with pytest.raises(SettingError, match=problem):
        PipelineDefinition.from_json(text, "test.json")


def test_the_built_in_manifests_are_complete() -> None:
    manifests = load_manifests(BUILT_IN_PLUGINS)
    assert set(manifests) == {path.parent.name for path in BUILT_IN_PLUGINS.glob("*/plugin.py")}


TOOL = {"id": "t", "input_types": ["image"], "output_types": ["x"], "capabilities": ["test"]}
OTHER_OPTION = {"tools": [TOOL | {"options": ["colour"]}]}


@pytest.mark.parametrize("change", [{"type": "other"}, {"tools": []}, {"id": None}, OTHER_OPTION])
def test_a_wrong_manifest_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    raw = json.loads((BUILT_IN_PLUGINS / "ocr" / "manifest.json").read_text(encoding="utf-8"))
    raw |= change
    if change.get("id", "") is None:
        del raw["id"]
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "manifest.json").write_text(json.dumps(raw), encoding="utf-8")
    with pytest.raises(SettingError):
        load_manifests(tmp_path)


def make_service(open_video: VideoOpener = VideoReader, **environment: str) -> VideoFilePipelineService:
    settings = {
        "MODEL_PATH": "/nowhere",
        "PLUGINS_DIR": str(SUPPORT / "plugins"),
        "PIPELINES_DIR": str(SUPPORT / "pipelines"),
    }
    settings |= environment
    return VideoFilePipelineService.from_settings(WorkerSettings.from_environment(settings), open_video)


def test_an_own_plugin_runs_in_an_own_pipeline() -> None:
    tiny = SUPPORT.parent / "fixtures" / "tiny.mp4"
    frames = list(make_service().run_on_file(tiny, "count", frame_stride=10, max_frames=3))
    assert [frame["frame_index"] for frame in frames] == [0, 10, 20]
    assert all(list(frame["result"]) == ["bright"] for frame in frames)
    frames = list(make_service().run_on_file(tiny, "count", start_ms=450, end_ms=2000, frames_per_second=2))
    assert [frame["frame_index"] for frame in frames] == [5, 10, 15]


def test_a_service_opens_videos_with_what_it_was_given(tmp_path: Path) -> None:
    opened = []

    def open_video(
        path: Path,
        max_pixels: int | None = None,
        sampling: Sampling = EVERY_PICTURE,
        excerpt: Excerpt | None = None,
    ) -> NumberedVideo:
        opened.append((path, max_pixels))
        return NumberedVideo(9, lost={3})(path, max_pixels, sampling)

    service = make_service(open_video=open_video, MAX_FRAME_PIXELS="777")
    frames = list(service.run_on_file(tmp_path / "numbers.mp4", "count", frame_stride=3))
    assert frames == [
        {"frame_index": 0, "result": {"bright": 0}},
        {"frame_index": 6, "result": {"bright": 6}},
    ]
    assert opened == [(tmp_path / "numbers.mp4", 777)]


def test_options_in_a_manifest_need_a_plugin_that_takes_them(tmp_path: Path) -> None:
    manifest = load_manifests(SUPPORT / "plugins")["counter"]
    tools = {"count": {**manifest.tools["count"], "options": ["classes"]}}
    with pytest.raises(SettingError, match="'counter' names options in its manifest, but lacks with_options"):
        create_plugin(replace(manifest, tools=tools), WorkerSettings.from_environment({"MODEL_PATH": "none"}))


FINDS = {"output_types": ["detections"], "options": []}
CHOOSES = FINDS | {"options": ["classes"]}
OTHER = {"output_types": ["faces"], "options": []}


@pytest.mark.parametrize(
    ("tools", "takes_it"),
    [
        ([CHOOSES], True),
        ([CHOOSES, OTHER], True),
        ([OTHER | {"options": ["classes"]}], True),  # of objects in a form of its own
        ([OTHER], False),
        ([FINDS], False),
        ([CHOOSES, FINDS], False),  # the second would give what was not asked for
        ([CHOOSES | {"options": ["min_confidence"]}], False),
    ],
)
def test_no_tool_may_ignore_a_choice_of_classes(tools: list[dict[str, list[str]]], takes_it: bool) -> None:
    names = [f"t{number}" for number in range(len(tools))]
    nodes = [{"id": name, "plugin_id": "p", "tool_id": name} for name in names]
    ends = {"edges": [], "entry_nodes": names, "output_nodes": names}
    raw = {"id": "mine", "name": "Mine", "nodes": nodes, **ends}
    definition = PipelineDefinition.from_json(json.dumps(raw), "test")
    manifest = Manifest("p", "1.0.0", Path("nowhere"), dict(zip(names, tools, strict=True)))
    settings = WorkerSettings.from_environment({"MODEL_PATH": "none"})
    service = VideoFilePipelineService({"mine": definition}, {"p": manifest}, settings, NumberedVideo(1))
    error, word = (
        (SettingError, "no plugin.py") if takes_it else (UnsupportedOptionError, "'mine' does not take")
    )
    with pytest.raises(error, match=word):
        service.run_on_file("x.mp4", "mine", classes=["car"])


def test_an_unknown_pipeline_and_a_missing_model_are_told() -> None:
    with pytest.raises(UnknownPipelineError, match="nope"):
        make_service().run_on_file("x.mp4", "nope")
    with pytest.raises(SettingError, match="MODEL_PATH"):
        make_service(OCR_ENGINE="tesseract").warm_up()


def test_words_come_from_tsv_with_their_lines() -> None:
    row = "5\t1\t{block}\t1\t{line}\t1\t10\t20\t30\t40\t{confidence}\t{text}"
    rows = [
        "4\t1\t1\t1\t1\t0\t1\t1\t1\t1\t-1\t",
        row.format(block=1, line=1, confidence=96.123, text="EXIT"),
        row.format(block=1, line=1, confidence=91.5, text="12"),
        row.format(block=1, line=2, confidence=20, text="noise"),
        row.format(block=2, line=1, confidence=80, text="GATE"),
        row.format(block=2, line=1, confidence=95, text=" "),
    ]
    blocks = words_of_tsv("\n".join(rows), min_confidence=50)
    numbered = [(block["text"], block["block_num"], block["line_num"]) for block in blocks]
    assert numbered == [("EXIT", 1, 1), ("12", 1, 1), ("GATE", 2, 1)]
    assert blocks[0] == {
        "text": "EXIT",
        "confidence": 96.12,
        "bbox": {"x": 10, "y": 20, "width": 30, "height": 40},
        "level": 5,
        "block_num": 1,
        "line_num": 1,
    }
