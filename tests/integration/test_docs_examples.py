"""What the documentation shows works, as it stands there."""

from __future__ import annotations

import csv
import inspect
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from video_jobs.ports import JobRepository
from werkzeug.datastructures import MultiDict
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from tests.contract import conftest, test_due_jobs, test_job_repository
from tests.fixtures.ffmpeg import run_ffmpeg
from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.support.annotated import Written
from tests.support.pages import Page
from tests.support.sample_results import FIRST_PICTURE_MS, SIZE
from tests.support.sample_results import job_answer as sample_job
from tests.support.sample_results import pages as sample_pages
from tests.support.sample_summary import summary as sample_summary
from tools.governance.validate_plugins import main as validate_plugins
from tools.local_stack.loopback_server import HOST, LoopbackServer

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The blocks of the page on plugins by name, its files in the current folder."""
    blocks = {block.name: block.content for block in Page(DOCS / "plugins.md").blocks()}
    files = ("plugins/blue_signs/manifest.json", "plugins/blue_signs/plugin.py", "pipelines/sign_text.json")
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(blocks[name], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return blocks


def test_the_example_of_a_plugin_runs_through_the_worker_s_registry(
    example: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # GIVEN the clip where the page's own script looks for it
    clip = tmp_path / TINY.relative_to(ROOT)
    clip.parent.mkdir(parents=True)
    shutil.copyfile(TINY, clip)
    # WHEN the script is run
    exec(compile(example["try_it.py"], "try_it.py", "exec"), {})
    # THEN it prints what the page says
    assert capsys.readouterr().out == example["output"]
    # AND the plugin is valid
    assert validate_plugins(["--plugins", "plugins", "--pipelines", "pipelines"]) == 0


def test_the_example_of_the_application_runs() -> None:
    (block,) = (one for one in Page(DOCS / "architecture.md").blocks() if one.language == "python")
    exec(compile(block.content, "architecture.md", "exec"), {})


def test_the_example_of_a_backend_extends_the_fixture_that_is_there() -> None:
    (block,) = (one for one in Page(DOCS / "backends.md").blocks() if "@pytest.fixture" in one.content)
    decorator = block.content.partition("\n")[0].replace(', "sqlite"', "")
    assert f"\n{decorator}\ndef jobs(" in inspect.getsource(conftest)


CONTRACT = {
    name: test
    for name, test in (vars(test_job_repository) | vars(test_due_jobs)).items()
    if name.startswith("test_") and "jobs" in inspect.signature(test).parameters
}


@pytest.mark.parametrize("promise", CONTRACT)
def test_the_example_of_a_backend_keeps_the_contract(promise: str, tmp_path: Path) -> None:
    (block,) = (
        block for block in Page(DOCS / "backends.md").blocks() if block.name.endswith("sqlite_jobs.py")
    )
    made: dict[str, Any] = {"__name__": "sqlite_jobs"}
    exec(compile(block.content, "sqlite_jobs.py", "exec"), made)
    for number, case in enumerate(cases_of(CONTRACT[promise])):
        jobs: JobRepository = made["SqliteJobRepository"](tmp_path / f"jobs-{number}.db")
        CONTRACT[promise](jobs=jobs, **case)


def cases_of(test: Any) -> list[dict[str, Any]]:
    """The arguments that a test's own parameters give, beside the repository."""
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    return [{mark.args[0]: value} for mark in marks for value in mark.args[1]] or [{}]


def sample_page(query: MultiDict[str, str]) -> dict[str, Any]:
    assert query.getlist("include") == ["tracks"]
    pages, number = sample_pages(), int(query.get("cursor", "0"))
    return {**pages[number], "next_cursor": str(number + 1) if number + 1 < len(pages) else None}


@Request.application
def answer(request: Request) -> Response:
    """Every job is the sample; its results come page by page."""
    links = dict.fromkeys(("summary_url", "tracks_url"), "https://bucket.example.com/file")
    match request.path.split("/")[2]:
        case "jobs":
            return Response(json.dumps(sample_job()))
        case "summary":
            return Response(json.dumps({"summary": sample_summary(), **links}))
    return Response(json.dumps(sample_page(request.args)))


@pytest.fixture
def results_api() -> Iterator[str]:
    with LoopbackServer(make_server(HOST, 0, answer), "results-api") as server:
        yield server.url


def make_clip(path: Path) -> None:
    """A video in which the sample may have been found."""
    source = ("-f", "lavfi", "-i", f"testsrc2=size={SIZE[0]}x{SIZE[1]}:rate=10:duration=1.3")
    times = f"settb=1/10000,setpts=PTS+{round(10 * FIRST_PICTURE_MS)}"
    clock = ("-enc_time_base", "1/10000", "-video_track_timescale", "10000", "-movie_timescale", "10000")
    run_ffmpeg(*source, "-vf", times, "-fps_mode", "passthrough", *clock, str(path))


def test_the_examples_of_exports_write_what_the_page_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, results_api: str
) -> None:
    # GIVEN the answers of the API as files
    monkeypatch.chdir(tmp_path)
    first, second = sample_pages()
    whole = {key: first[key] + second[key] for key in first}
    (tmp_path / "job.json").write_text(json.dumps(sample_job()), encoding="utf-8")
    (tmp_path / "results.json").write_text(json.dumps(whole), encoding="utf-8")
    (tmp_path / "summary.json").write_text(json.dumps({"summary": sample_summary()}), encoding="utf-8")
    make_clip(tmp_path / "clip.mp4")
    # WHEN the examples are run in their order
    names: dict[str, Any] = {}
    for block in (one for one in Page(DOCS / "exports.md").blocks() if one.language == "python"):
        script = block.content.replace("http://127.0.0.1:8000", results_api)
        exec(compile(script, "exports.md", "exec"), names)
    # THEN every file that they name is there
    made = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert made >= {"detections.parquet", "words.parquet"}
    assert made >= {"words.csv", "texts.vtt", "coco.json", "dataset/data.yaml", "det.txt", "annotations.xml"}
    assert made >= {"agreed_texts.vtt", "presence.srt", "each_object.vtt", "tracks.csv", "texts.csv"}
    for fetched, read in (
        ("all_frames.jsonl", "frames.jsonl"),
        ("all_texts.vtt", "agreed_texts.vtt"),
        ("all_words.csv", "words.csv"),
        ("all_detections.csv", "detections.csv"),
    ):
        assert (tmp_path / fetched).read_bytes() == (tmp_path / read).read_bytes()
    with (tmp_path / "detections.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == 6
    assert len(Written.of(tmp_path / "annotated.mp4").ticks) == 13
