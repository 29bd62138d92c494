"""The client compares results with what a worker recomputes; the worker here is pretended."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from video_jobs_client import ResultsError
from video_jobs_client.cli.exits import ExitCode
from video_jobs_client.verification import (
    FingerprintDifference,
    FrameDifference,
    NothingToVerifyError,
    OtherVideoError,
    PartChoice,
    Verification,
    WorkerFailedError,
    WorkerMissingError,
    WorkerSettingError,
    verify,
)

from tests.support.command_line import new_user, run_command
from tests.support.played_service import JOB_ID, answer, job

FRAMES = 10
CHOICE = PartChoice(count=2, seed=7, part_frames=3)
"""The first part and the third one, of four."""
FINGERPRINT = {"id": "f", "opencv": "5", "plugins": {"yolo": {"model": "m"}}}
PROGRAM = """#!{python} -IS
import json, os, sys, time
task = json.load(sys.stdin)
json.dump([sys.argv[1:], task, dict(os.environ), os.getpid()], open({seen!r}, "w"))
fingerprint, frames = {fingerprint!r}, {frames!r}
print(json.dumps({{"fingerprint": fingerprint}}))
for first, end in task["parts"]:
    print(json.dumps({{"parts": [first, end]}}))
    for number, line in enumerate(frames):
        if first * task["part_frames"] <= number < (end or 99) * task["part_frames"]:
            print(line, flush=True)
{then}
"""


def frame(index: int, text: str = "EXIT 12") -> str:
    return f'{{"frame_index":{index},"result":{{"boxes":[1,{{"x":2.5}}],"text":"{text}"}}}}'


class Case:
    """A completed job with its files, and a worker that computes the same."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.video, self.results = folder / "clip.mp4", folder / "results.json"
        self.python, self.seen = folder / "python", folder / "seen.json"
        self.video.write_bytes(b"video")
        self.job: dict[str, Any] = {
            "status": "completed",
            "size_bytes": 5,
            "frames_done": FRAMES,
            "fingerprint": FINGERPRINT,
        }
        self.store([frame(index) for index in range(FRAMES)])
        self.pretend()

    def store(self, frames: list[str], times: str | None = None) -> None:
        lines = ",\n".join(frames)
        times = ",".join(str(index * 40) for index in range(len(frames))) if times is None else times
        self.results.write_text(f'{{"results":[\n{lines}\n],"timestamps_ms":[{times}]}}\n', encoding="utf-8")

    def pretend(
        self, frames: list[str] | None = None, fingerprint: dict[str, Any] = FINGERPRINT, then: str = ""
    ) -> None:
        texts = [f"[{index * 40},{frame(index)}]" for index in range(FRAMES)] if frames is None else frames
        text = PROGRAM.format(
            python=sys.executable, seen=str(self.seen), fingerprint=fingerprint, frames=texts, then=then
        )
        self.python.write_text(text, encoding="utf-8")
        self.python.chmod(0o755)

    def verify(self, choice: PartChoice = CHOICE, **options: Any) -> Verification:
        return verify(self.job, self.video, self.results, choice=choice, python=self.python, **options)


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


# --- what is compared ------------------------------------------------------------------------------


def test_equal_bytes_are_equal(case: Case) -> None:
    found = case.verify()
    assert (found.is_equal, found.is_same_worker) == (True, True)
    assert (found.parts, found.frames_compared) == (((0, 1), (2, 3)), 6)


def test_all_parts_can_be_compared(case: Case) -> None:
    found = case.verify(PartChoice(count=None, part_frames=3))
    assert (found.is_equal, found.parts, found.frames_compared) == (True, ((0, None),), FRAMES)


@pytest.mark.parametrize(
    ("stored", "what"),
    [
        (frame(7, "EXIT 13"), 'result.text: "EXIT 13" in the results, "EXIT 12" recomputed'),
        (frame(7).replace("2.5", "2.6"), "result.boxes[1].x: 2.6 in the results, 2.5 recomputed"),
        (
            frame(7).replace("[1,", "[1,1,"),
            "result.boxes: a list of 3 in the results, a list of 2 recomputed",
        ),
        (frame(7).replace("[1,", "[1.0,"), "byte 37: '.0,{"),
        (frame(7).removesuffix("}"), "byte 66: '' in the results, '}' recomputed"),
    ],
)
def test_a_changed_byte_is_reported_with_its_place(case: Case, stored: str, what: str) -> None:
    case.store([stored if index == 7 else frame(index) for index in range(FRAMES)])
    found = case.verify()
    assert not found.is_equal
    assert [(one.frame_index, one.what[: len(what)]) for one in found.differences] == [(7, what)]


def test_what_is_in_no_chosen_part_is_not_compared(case: Case) -> None:
    case.store([frame(index, "other" if index in (3, 4, 5, 9) else "EXIT 12") for index in range(FRAMES)])
    assert case.verify().is_equal


def test_a_changed_time_is_reported(case: Case) -> None:
    case.store([frame(index) for index in range(FRAMES)], "0,41,80,120,160,200,240,280,320,360")
    assert case.verify().differences == (
        FrameDifference(1, "timestamps_ms: 41 in the results, 40 recomputed"),
    )


def test_results_of_old_jobs_have_no_times_to_compare(case: Case) -> None:
    lines = ",\n".join(frame(index) for index in range(FRAMES))
    case.results.write_text(f'{{"results":[\n{lines}\n]}}\n', encoding="utf-8")
    assert case.verify().is_equal


@pytest.mark.parametrize("choice", [CHOICE, PartChoice(count=None, part_frames=3)])
def test_frames_that_only_one_side_has_are_reported(case: Case, choice: PartChoice) -> None:
    # GIVEN results that have frame 70 instead of 7, and all after it
    case.store([frame(index + 63 if index >= 7 else index) for index in range(FRAMES)])
    found = case.verify(choice)
    outcomes = {one.frame_index: one.what for one in found.differences}
    assert outcomes[7] == "not in the results"
    assert (outcomes.get(70) == "only in the results") is (choice.count is None)


@pytest.mark.parametrize("index", [0, 1, 7])
def test_a_frame_that_the_worker_does_not_find_is_reported(case: Case, index: int) -> None:
    case.pretend([f"[{number * 40},{frame(number)}]" for number in range(FRAMES) if number != index])
    assert FrameDifference(index, "only in the results") in case.verify().differences


def test_only_the_first_of_many_differences_are_kept(case: Case) -> None:
    case.job["frames_done"] = 300
    case.store([frame(index, "other") for index in range(300)])
    case.pretend([f"[{index * 40},{frame(index)}]" for index in range(300)])
    found = case.verify(PartChoice(count=1))
    assert (found.frames_compared, found.frames_different, len(found.differences)) == (256, 256, 100)


def test_another_fingerprint_is_told_before_the_first_frame(case: Case) -> None:
    case.pretend(fingerprint={"id": "g", "opencv": "5", "plugins": {"yolo": {"model": "n", "device": "c"}}})
    told: list[object] = []
    found = case.verify(on_fingerprint=told.append, on_frame=told.append)
    assert found.fingerprint == (
        FingerprintDifference("plugins.yolo.device", None, "c"),
        FingerprintDifference("plugins.yolo.model", "m", "n"),
    )
    assert told == [found.fingerprint, 1, 2, 3, 4, 5, 6]
    assert not found.is_same_worker


# --- which parts -----------------------------------------------------------------------------------


def test_a_seed_always_chooses_the_same_parts_and_the_first_one_is_among_them() -> None:
    chosen = {PartChoice(count=3, seed=seed).ranges(256 * 40) for seed in range(20)}
    assert len(chosen) > 10
    assert all(ranges[0][0] == 0 for ranges in chosen)
    assert PartChoice(count=3, seed=7).ranges(10_240) == PartChoice(count=3, seed=7).ranges(10_240)


@pytest.mark.parametrize(
    ("count", "frames", "ranges"),
    [(1, 9000, ((0, 1),)), (0, 9000, ((0, 1),)), (9, 513, ((0, 3),)), (9, 512, ((0, 2),)), (3, 0, ((0, 1),))],
)
def test_no_more_parts_are_chosen_than_there_are(count: int, frames: int, ranges: object) -> None:
    assert PartChoice(count=count).ranges(frames) == ranges


# --- what the worker gets --------------------------------------------------------------------------


def test_the_worker_gets_the_job_and_no_token(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDEO_JOBS_TOKEN", "canary-4711")
    monkeypatch.setenv("MODEL_PATH", "model")
    case.verify()
    arguments, task, environment, _ = json.loads(case.seen.read_text())
    assert arguments == ["-m", "video_worker.recompute", str(case.video)]
    assert task == {"job": case.job, "parts": [[0, 1], [2, 3]], "part_frames": 3}
    assert environment["MODEL_PATH"] == "model"
    assert "canary-4711" not in environment.values()


# --- what goes wrong -------------------------------------------------------------------------------


def change_job(**fields: Any) -> Callable[[Case], object]:
    return lambda case: case.job.update(fields)


def told(error: str) -> Callable[[Case], None]:
    return lambda case: case.pretend([], then=f"print({error!r}); sys.exit(1)")


def ends(then: str) -> Callable[[Case], None]:
    return lambda case: case.pretend(then=then)


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (change_job(status="running"), NothingToVerifyError, "The job is running"),
        (change_job(size_bytes=6), OtherVideoError, "has 5 bytes and the video of the job 6"),
        (lambda case: case.video.unlink(), OtherVideoError, "No such file"),
        (change_job(frames_done=9), ResultsError, "10 frames and the job 9"),
        (lambda case: case.results.write_text("<html>"), ResultsError, "no results file"),
        (
            lambda case: case.results.write_bytes(case.results.read_bytes()[:-9]),
            ResultsError,
            "in the middle",
        ),
        (lambda case: case.store([frame(index ^ 1) for index in range(10)]), ResultsError, "comes after"),
        (lambda case: case.store(["{}"] * 10), ResultsError, "no frame"),
        (lambda case: case.store([frame(0)] * 10, "0"), ResultsError, "another number"),
        (lambda case: case.python.unlink(), WorkerMissingError, "cannot be run"),
        (ends("sys.exit('No module named video_worker')"), WorkerMissingError, "make setup"),
        (ends("os.kill(os.getpid(), 9)"), WorkerFailedError, "SIGKILL"),
        (ends("os.kill(os.getpid(), 15)"), WorkerFailedError, "SIGTERM"),
        (ends("sys.exit('all is lost')"), WorkerFailedError, "exit code 1: all is lost"),
        (ends("print('[0,{', end=''); sys.exit(1)"), WorkerFailedError, "exit code 1"),
        (told('{"error":{"code":"unreadable_video","message":"cut"}}'), OtherVideoError, "cut"),
        (
            told('{"error":{"code":"invalid_setting","message":"Set X"}}'),
            WorkerSettingError,
            "Set X. It needs",
        ),
        (
            told('{"error":{"code":"not_started","message":"Traceback:\\n  line 1\\nE: the end\\n"}}'),
            WorkerFailedError,
            "^The worker cannot compute it .not_started.: E: the end$",
        ),
    ],
)
def test_what_cannot_be_compared_has_an_error_that_says_why(
    case: Case, spoil: Callable[[Case], object], error: type[Exception], message: str
) -> None:
    spoil(case)
    with pytest.raises(error, match=message):
        case.verify()


def test_a_worker_that_is_not_installed_beside_the_client_is_not_started(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("video_jobs_client.verification.recomputation.find_spec", lambda name: None)
    with pytest.raises(WorkerMissingError, match="make setup"):
        verify(case.job, case.video, case.results)


def test_an_interrupt_ends_the_worker(case: Case) -> None:
    # GIVEN a worker that takes long
    case.pretend(then="time.sleep(20)")

    # WHEN somebody presses Ctrl-C
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        case.verify(on_frame=interrupt)
    # THEN it has gone
    *_, pid = json.loads(case.seen.read_text())
    assert not Path(f"/proc/{pid}").exists()


# --- the command line ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "code", "out", "err"),
    [
        (lambda case: None, ExitCode.OK, "10 of 10 frames have the same bytes\n", ""),
        (
            lambda case: case.store([frame(index, f"EXIT {12 + index // 9}") for index in range(FRAMES)]),
            ExitCode.DIFFERS,
            'frame 9: result.text: "EXIT 13" in the results, "EXIT 12" recomputed\n'
            "9 of 10 frames have the same bytes\n",
            "",
        ),
        (
            told('{"error":{"code":"invalid_setting","message":"Set MODEL_PATH"}}'),
            ExitCode.USAGE,
            "",
            "Error: The worker cannot start: Set MODEL_PATH. It needs the model and the settings that the "
            "service's workers have.\n",
        ),
        (
            ends("sys.exit('No module named video_worker')"),
            ExitCode.REFUSED,
            "",
            "Error: The worker is not installed for {python}: run `make setup` in a checkout of ForgeSyte "
            "Video Jobs, and use its .venv/bin/python or .venv/bin/video-jobs.\n",
        ),
    ],
)
def test_the_command_says_whether_the_bytes_are_the_same_or_what_the_worker_lacks(
    case: Case,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Case], object],
    code: ExitCode,
    out: str,
    err: str,
) -> None:
    monkeypatch.setattr("video_jobs_client.verification.verifying.find_worker", lambda _: str(case.python))
    spoil(case)
    whole = httpx2.Response(200, content=case.results.read_bytes())
    page = answer({"results": [], "next_cursor": None, "results_url": "https://bucket.example.com/r"})
    with new_user(tmp_path):
        ran = run_command("verify", JOB_ID, str(case.video), replies=[answer(job(**case.job)), page, whole])
    assert (ran.code, ran.out, ran.err) == (code, out, err.format(python=case.python))
