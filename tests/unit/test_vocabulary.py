"""The scanner of forbidden words finds each of them wherever it hides, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.governance.validate_vocabulary import CONFIGURATION, ROOT, Vocabulary, main, scan

TERMS = ["websocket", "streaming", "gpu_schedule", "distributed", "gpu_worker"]
CLEAN, VIOLATIONS, BAD_CONFIGURATION = 0, 1, 2
Run = Callable[..., tuple[int, list[str]]]


def camel(term: str) -> str:
    return "".join(part.capitalize() for part in term.split("_"))


def kebab(term: str) -> str:
    return term.replace("_", "-")


def plant(root: Path, name: str, text: str) -> None:
    """A file with the text on its line 3."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"\n\n{text}\n", encoding="utf-8")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A clean tree."""
    plant(tmp_path, "functions/app.py", "job_queue = polling(worker)")
    return tmp_path


@pytest.fixture
def run(tree: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command over the tree: exit status, and lines of both outputs."""

    def run_command(*arguments: str) -> tuple[int, list[str]]:
        status = main(["--root", str(tree), *arguments])
        captured = capsys.readouterr()
        return status, (captured.out + captured.err).splitlines()

    return run_command


PLACES: dict[str, Callable[[str], str]] = {
    "functions/app.py": lambda term: f"the_{term}_of = my_{term} + {term}",
    "functions/comment.py": lambda term: f"x = 1  # of a {term}.",
    "functions/string.py": lambda term: rf'print("first\n{term}")',
    "functions/docs.html": lambda term: f'<p class="{kebab(term)}">',
    "layers/common/app.py": lambda term: f"class My{camel(term)}App:",
    "layers/common/app.js": lambda term: f"const is{camel(term)} = true;",
    "gpu_worker_image/src/a.py": lambda term: f"{term.upper()}_X = 1",
    "gpu_worker_image/p.json": lambda term: f'{{"{term}": 1}}',
    "gpu_worker_image/Dockerfile": lambda term: f"ENV {term.upper()}=1",
    "gpu_worker_image/README.md": lambda term: f"A `{term}` and several {term}s",
    "clients/python/src/a.py": lambda term: f"def {term}() -> None:",
    "clients/python/README.md": lambda term: f"The {term} of the client",
    "template.yaml": lambda term: f"  {camel(term)}Function: video-{kebab(term)}-queue",
}


@pytest.mark.parametrize("term", TERMS)
def test_a_forbidden_term_is_found_wherever_it_stands(tree: Path, run: Run, term: str) -> None:
    # GIVEN files of every kind that use a term, some several times in a line
    expected = set()
    for name, line_with in PLACES.items():
        plant(tree, name, line_with(term))
        expected.add(f"{name}:3: {term}: {line_with(term).strip()}")
    # WHEN the tree is scanned
    status, lines = run()
    # THEN each file, its third line, the term and the text are shown
    assert status == VIOLATIONS
    assert set(lines[:-1]) == expected


def test_names_of_files_and_folders_count_once_each(tree: Path, run: Run) -> None:
    for term in TERMS:
        plant(tree, f"layers/{camel(term)}/{kebab(term)}.txt", "clean")
        plant(tree, f"layers/{camel(term)}/other.txt", "clean")
    status, lines = run()
    assert status == VIOLATIONS
    for term in TERMS:
        assert [line for line in lines if f": {term}: " in line] == [
            f"layers/{camel(term)}:0: {term}: the name of this folder",
            f"layers/{camel(term)}/{kebab(term)}.txt:0: {term}: the name of this file",
        ]


OTHER_SPELLINGS = """WebSocketApp web_socket WEBSOCKETApp websockets GPUWorker gpuworker GPU__WORKER
    gpu_worker_2 GpuWorker2 GpuWorkerSet xdistributeDistributed x.gpu_worker.y isStreaming my_gpu_worker_image
    gpu_worker_images gpu-worker-image gpu_worker_image_gpu_worker RawStreamingBody nonStreamingBody"""
NEAR_MISSES = """processed redistributed undistributed distribution distribute mainstreaming livestreaming
    downstream StreamSpecification octet-stream NUM_STREAMS websocketing web.socket gpu_worksheet egpu_worker
    gpu2_worker gpu.worker gpu_scheduled gpu_scheduler"""


def test_other_spellings_are_the_same_word(tree: Path, run: Run) -> None:
    words = OTHER_SPELLINGS.split()
    plant(tree, "functions/a.txt", "\n".join(words))
    status, lines = run()
    assert status == VIOLATIONS
    found = {int(line.split(":")[1]) for line in lines[:-1] if line.startswith("functions/a.txt")}
    assert [words[number - 3] for number in sorted(found)] == words


@pytest.mark.parametrize(
    "text",
    [
        *NEAR_MISSES.split(),
        "gpu worker",
        "web socket",
        "gpu = worker",
        "COPY gpu_worker_image/src /opt",
        'print("first\\ngpu_worker_image")',
        "from botocore.response import StreamingBody",
        "job_queue async worker polling",
    ],
)
def test_near_misses_and_allowed_names_are_no_hits(tree: Path, run: Run, text: str) -> None:
    plant(tree, "gpu_worker_image/a.txt", text)
    assert run()[0] == CLEAN


def test_an_allowed_name_does_not_excuse_what_stands_beside_it(tree: Path, run: Run) -> None:
    plant(tree, "functions/a.txt", "gpu_worker_image of the gpu_worker; worker")
    status, lines = run()
    assert status == VIOLATIONS
    assert lines[0] == "functions/a.txt:3: gpu_worker: gpu_worker_image of the gpu_worker; worker"
    assert lines[-1].endswith("1 violations")


@pytest.mark.parametrize(
    "text",
    [
        "import websocket  # vocabulary: allow websocket - the name of a library",
        "# vocabulary: allow websocket - the name of a library\nimport websocket as websocket",
        "<!-- vocabulary: allow websocket - the name of a library -->\n<p>WebSocket</p>",
    ],
)
def test_an_exemption_with_a_reason_is_listed_with_it(tree: Path, run: Run, text: str) -> None:
    plant(tree, "functions/a.txt", text)
    status, lines = run()
    assert status == CLEAN
    line = 3 + text.count("\n")
    assert f"exempt: functions/a.txt:{line}: websocket: the name of a library" in lines


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("import websocket  # vocabulary: allow websocket", "3: websocket: import websocket"),
        ("import websocket  # vocabulary: allow websocket", "needs a reason"),
        ("import websocket  # vocabulary: allow websocket - ", "needs a reason"),
        ("import websocket  # vocabulary: allow websocket - 1", "needs a reason"),
        ("<p>websocket</p> <!-- vocabulary: allow websocket - -->", "needs a reason"),
        ("import websocket  # vocabulary: allow - a reason", "names no forbidden term"),
        ("import websocket  # vocabulary: allow sockets - a reason", "names no forbidden term"),
        ("import websocket  # vocabulary: allow streaming - a reason", "3: websocket: import"),
        ("import other  # vocabulary: allow websocket - a reason", "exempts nothing"),
        ("# vocabulary: allow websocket - a reason\n\nimport websocket", "5: websocket: import"),
        ("x  # vocabulary: allow websocket - a reason\nimport websocket", "4: websocket: import"),
        ("websocket  # vocabulary: allow websocket - not streaming", "3: streaming: websocket"),
    ],
)
def test_a_poor_exemption_is_a_violation(tree: Path, run: Run, text: str, problem: str) -> None:
    plant(tree, "functions/a.txt", text)
    status, lines = run()
    assert status == VIOLATIONS
    assert [line for line in lines if problem in line] != []


def test_binary_files_are_known_by_their_content_and_listed(tree: Path, run: Run) -> None:
    # GIVEN the same bytes under a binary's name as text, and under a text's name as binary
    (tree / "functions" / "model.bin").write_bytes(b"websocket")
    (tree / "functions" / "model.txt").write_bytes(b"\x00\x01websocket")
    # WHEN the tree is scanned
    status, lines = run()
    # THEN the content decides
    assert status == VIOLATIONS
    assert "functions/model.bin:1: websocket: websocket" in lines
    assert "left out, as its content is binary: functions/model.txt" in lines
    assert lines[-1] == "2 files scanned, 1 binary files left out, 0 exemptions, 1 violations"


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "utf-8-sig"])
def test_text_is_scanned_in_any_encoding(tree: Path, run: Run, encoding: str) -> None:
    (tree / "functions" / "a.txt").write_bytes("a\rfür\r\nwebsocket".encode(encoding))
    status, lines = run()
    assert status == VIOLATIONS
    assert lines[0] == "functions/a.txt:3: websocket: websocket"


def test_a_very_long_line_is_shown_around_the_hit(tree: Path, run: Run) -> None:
    plant(tree, "functions/a.json", "x " * 5000 + "websocket" + " y" * 5000)
    _, lines = run()
    assert "websocket" in lines[0].partition(": websocket: ")[2]
    assert len(lines[0]) < 250


def test_other_folders_lock_files_and_licences_are_left_alone_and_a_path_that_is_not_there_is_named(
    tree: Path, run: Run
) -> None:
    plant(tree, "functions/__pycache__/gpu_worker.pyc", "websocket")
    plant(tree, "clients/web/node_modules/websocket/index.js", "websocket")
    plant(tree, "clients/web/package-lock.json", "websocket")
    plant(tree, "clients/python/uv.lock", "websocket")
    plant(tree, "clients/python/LICENSE", "distributed")
    plant(tree, "docs/websocket.md", "websocket")
    status, lines = run()
    assert status == CLEAN
    assert "not there: template.yaml" in lines


GOOD: dict[str, Any] = {
    "paths": ["functions"],
    "forbidden": ["websocket"],
    "allowed": ["polling", {"term": "WebSocketApi", "reason": "the name that AWS gives it"}],
}


def test_a_small_configuration_is_enough(tree: Path, run: Run) -> None:
    (tree / "own.yaml").write_text(yaml.safe_dump(GOOD), encoding="utf-8")
    plant(tree, "functions/a.txt", "streaming to a WebSocketApi")
    assert run("--config", str(tree / "own.yaml"))[0] == CLEAN
    plant(tree, "functions/a.txt", "a websocket")
    assert run("--config", str(tree / "own.yaml"))[0] == VIOLATIONS


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"forbidden": []}, "forbidden: List should have at least 1 item"),
        ({"forbidden": "websocket"}, "forbidden: Input should be a valid list"),
        ({"forbidden": ["websocket", 5]}, "forbidden.1: Input should be a valid string"),
        ({"forbidden": ["websocket", "websocket"]}, "'websocket' is named twice"),
        ({"forbidden": ["WebSocket"]}, "forbidden.0: String should match"),
        ({"allowed": ["WebSocketApi"]}, "'WebSocketApi' needs a reason"),
        ({"allowed": [{"term": "WebSocketApi", "reason": " "}]}, "reason: String should match"),
        ({"allowed": [{"term": "WebSocketApi"}]}, "allowed.0"),
        ({"allowed": ["polling", "polling"]}, "'polling' is named twice"),
        ({"allowed": [{"term": "websocket", "reason": "we like it"}]}, "'websocket' is named twice"),
        ({"ignored": [{"name": "vendored"}]}, "ignored.0.reason: Field required"),
        ({"paths": []}, "paths: List should have at least 1 item"),
        ({"paths": ["/etc"]}, "inside the root"),
        ({"paths": ["../other"]}, "inside the root"),
        ({"paths": ["empty"]}, "has no text file in empty"),
        ({"paths": ["binary"]}, "has no text file in binary"),
        ({"alowed": []}, "alowed: Extra inputs"),
    ],
)
def test_a_wrong_configuration_is_told(tree: Path, run: Run, change: dict[str, Any], problem: str) -> None:
    (tree / "empty").mkdir()
    (tree / "binary").mkdir()
    (tree / "binary" / "a.txt").write_bytes(b"\0")
    (tree / "own.yaml").write_text(yaml.safe_dump(GOOD | change), encoding="utf-8")
    status, lines = run("--config", str(tree / "own.yaml"))
    assert status == BAD_CONFIGURATION
    assert problem in " ".join(lines)


@pytest.mark.parametrize("text", ["", "[]", "forbidden: [", "{}", "paths: [functions]", "\0"])
def test_what_is_no_configuration_is_refused(tree: Path, run: Run, text: str) -> None:
    (tree / "own.yaml").write_text(text, encoding="utf-8")
    assert run("--config", str(tree / "own.yaml"))[0] == BAD_CONFIGURATION


def test_a_missing_configuration_and_a_missing_root_are_refused(run: Run) -> None:
    assert run("--config", "/nowhere.yaml")[0] == BAD_CONFIGURATION
    assert run("--root", "/nowhere")[0] == BAD_CONFIGURATION


@pytest.mark.no_cover  # the tracer would only slow it down
def test_the_project_keeps_the_rules_of_the_design(capsys: pytest.CaptureFixture[str]) -> None:
    vocabulary = Vocabulary.from_yaml(CONFIGURATION)
    assert vocabulary.forbidden == TERMS
    allowed = [one if isinstance(one, str) else one.name for one in vocabulary.allowed]
    assert {"job_queue", "async", "worker", "polling", "gpu_worker_image"} <= set(allowed)
    named = {"functions", "layers", "gpu_worker_image", "clients", "template.yaml"}
    assert set(vocabulary.paths) == named
    assert main([]) == CLEAN, capsys.readouterr().out
    report = scan(vocabulary, ROOT)
    assert report.missing == []
    assert {"template.yaml", "gpu_worker_image/Dockerfile"} <= set(report.scanned)
    assert any(path.endswith(".bin") for path in report.binaries)
    assert len(report.scanned) > 100
