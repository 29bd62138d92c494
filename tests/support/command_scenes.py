"""What `video-jobs` prints: transcripts in ``tests/fixtures/cli``, which a test compares with the program.

This command writes them again, after which ``git diff`` shows what has changed::

    .venv/bin/python -m tests.support.command_scenes
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
from video_jobs.domain import errors
from video_jobs.domain.mp4 import check_mp4_head
from video_jobs_client.cli.exits import ExitCode

from tests.support.command_line import new_user, run_command
from tests.support.played_answers import QUOTE, SUMMARY, TOLD, VIDEO
from tests.support.played_service import JOB_ID, URL, Reply, answer, job, problem_of, status_of

FOLDER = Path(__file__).parents[1] / "fixtures" / "cli"
OTHER = "77ab01c4-0000-4000-8000-000000000000"
TERMINAL, PIPE, JSON = "", " | cat", " --json"
COMMANDS = (
    *("submit", "status", "list", "watch", "results", "summary", "annotate", "cancel", "retry", "delete"),
    *("quote", "verify", "diff", "pipelines", "login", "logout", "config"),
)
CONFIG_COMMANDS = ("list", "get", "set", "unset", "use", "path")


@dataclass(frozen=True)
class Scene:
    """One command: what it is asked, what the service answers, and how it ends."""

    command: str
    replies: Sequence[Reply] = ()
    code: ExitCode = ExitCode.OK
    means: Sequence[str] = (TERMINAL,)
    url: str | None = URL

    def transcript(self) -> str:
        """The commands with what they print; lines of standard error begin with ``2> ``."""
        return "\n".join(self._ran(where) for where in self.means)

    def _ran(self, where: str) -> str:
        arguments = self.command.split() + (["--json"] if where == JSON else [])
        found = run_command(*arguments, replies=self.replies, terminal=where == TERMINAL, url=self.url)
        assert found.code == self.code, f"{self.command}: {found}"
        shown = [f"$ video-jobs {self.command}{where}", *found.out.splitlines()]
        shown += [f"2> {line}".rstrip() for line in found.err.splitlines()]
        end = [] if found.code == 0 else [f"[exit code {found.code}]"]
        return "\n".join(line.rstrip() for line in (*shown, *end)) + "\n"


def refusal(kind: type[errors.VideoJobsError], status: int, detail: str = "") -> httpx2.Response:
    """How the service refuses, with its own words."""
    body = problem_of(kind.code, status, detail or kind.default_message)
    return httpx2.Response(status, json=body, headers={"content-type": "application/problem+json"})


def why_not(content: bytes) -> str:
    """What the service says about a file that is no video."""
    try:
        check_mp4_head(content)
    except errors.InvalidVideoError as error:
        return str(error)
    raise AssertionError("it is a video")


WEBM = why_not(b"\x1a\x45\xdf\xa3" + bytes(99))
DONE = job("completed", filename="clip.mp4", frames_done=8, frames_total=8, percent=100, video=VIDEO)
RUNNING = job("running", job_id=OTHER, frames_done=40, frames_total=100, percent=40)
TWINS = [DONE, job("pending", job_id=f"{JOB_ID[:9]}0000-4000-8000-000000000000")]
FAILED = job("failed", filename="clip.webm", error={"code": "invalid_mp4", "message": WEBM})
LONG = "2026-11-25-north-entrance-of-the-harbour-recording-of-camera-12-0001.mp4"
WIDE = "北門の防犯カメラの映像-北門の防犯カメラの映像.mp4"
LISTED = [
    {**DONE, "filename": LONG},
    {**RUNNING, "filename": WIDE},
    {**FAILED, "filename": "[red]a\x1b[31m.webm"},
    job(source_host="media.example.com"),
]
TEXT: dict[str, Any] = SUMMARY["texts"][0]
CARS = {"class_id": 2, "class_name": "car", "tracks": 2, "in_view_ms": 3000.0, "most_at_once": 2}
SEEN = {**SUMMARY, "classes": [{**CARS, "intervals": [], "intervals_joined": 0}]}
SEEN_BEFORE = {**TOLD, "summary": {**SEEN, "texts": [TEXT, {**TEXT, "text_id": 2, "text": "HARBOUR"}]}}
SEEN_NOW = {**TOLD, "summary": {**SUMMARY, "texts": [{**TEXT, "text": "EXIT 13"}]}}
COARSE = {**DONE, "job_id": OTHER, "frame_stride": 5}
UNKNOWN_TIME = {
    **QUOTE,
    **dict.fromkeys(("compute_seconds", "cost_usd", "video")),
    "seconds_to_end": {"p50": None, "p95": None},
    "based_on": {**QUOTE["based_on"], "jobs": 0},
}
PIPELINES = {
    "pipelines": [
        {"pipeline_id": "yolo_ocr", "description": "Objects and text.", "is_default": True},
        {"pipeline_id": "ocr_only", "description": "Text only.", "is_default": False},
    ],
    "text_engines": [],
}
EVERYWHERE = (TERMINAL, PIPE, JSON)


def upload(job_id: str = JOB_ID) -> list[Reply]:
    """The answers to a submit of a small file."""
    form = {"url": "https://bucket.example.com/", "fields": {}, "max_bytes": 9}
    offer = {"job_id": job_id, "upload": {**form, "expires_at": "2026-11-25T10:00:00Z"}}
    return [answer(offer, 201), httpx2.Response(204), answer(job(job_id=job_id))]


TABLES: dict[str, list[Scene]] = {
    "submit": [
        Scene("submit clip.mp4", upload(), means=(PIPE,)),
        Scene("submit copy.mp4", [answer(DONE)]),
        Scene("submit clip.mp4 --again", upload(OTHER), means=EVERYWHERE),
    ],
    "list": [
        Scene("list", [answer({"jobs": LISTED, "next_cursor": None})], means=EVERYWHERE),
        Scene("list --status failed", [answer({"jobs": [], "next_cursor": None})]),
    ],
    "status": [
        Scene(f"status {JOB_ID}", [answer(DONE)], means=EVERYWHERE),
        Scene(f"status {JOB_ID}", [answer(FAILED)]),
    ],
    "summary": [
        Scene(f"summary {JOB_ID}", [answer(DONE), answer(SEEN_BEFORE)], means=EVERYWHERE),
        Scene(f"summary {JOB_ID}", [answer(DONE), answer({**TOLD, "summary": {**SUMMARY, "texts": []}})]),
    ],
    "quote": [
        Scene("quote clip.mp4 --fps 2", [answer(QUOTE)], means=EVERYWHERE),
        Scene("quote clip.mp4", [answer(UNKNOWN_TIME)]),
    ],
    "diff": [
        Scene(
            f"diff {JOB_ID} {OTHER}",
            [answer(DONE), answer(COARSE), answer(SEEN_BEFORE), answer(SEEN_NOW)],
            ExitCode.DIFFERS,
            EVERYWHERE,
        ),
        Scene(f"diff {JOB_ID} {OTHER}", [answer(DONE), answer(DONE), answer(TOLD), answer(TOLD)]),
    ],
    "config": [
        Scene("config list", url=None),
        Scene("config set url https://api.example.com", url=None),
        Scene("config set url https://work.example.com --profile work", url=None),
        Scene("config set issuer https://login.example.com --profile work", url=None),
        Scene("config use work", url=None),
        Scene("config list", url=None, means=EVERYWHERE),
        Scene("config get url", url=None, means=(TERMINAL, PIPE)),
        Scene("config get colour", code=ExitCode.USAGE, url=None),
        Scene("config get url --profile home", code=ExitCode.USAGE, url=None),
        Scene("config unset issuer", url=None),
    ],
    "watch": [
        Scene(
            f"watch {JOB_ID}", [answer(job()), answer(status_of("completed")), answer(DONE)], means=EVERYWHERE
        ),
        Scene(
            f"watch {JOB_ID}",
            [answer(job()), answer(status_of("failed")), answer(FAILED)],
            ExitCode.JOB_FAILED,
            EVERYWHERE,
        ),
    ],
}
ERRORS: list[Scene] = [
    Scene("list", code=ExitCode.USAGE, url=None),
    Scene("list", [httpx2.ConnectError("x")], ExitCode.UNREACHABLE),
    Scene("list", [httpx2.Response(200, html="<p>")], ExitCode.UNREACHABLE),
    Scene("list", [answer({"message": "Unauthorized"}, 401)], ExitCode.FORBIDDEN),
    Scene("list", [refusal(errors.UnauthenticatedError, 401)], ExitCode.FORBIDDEN),
    Scene("login", code=ExitCode.USAGE),
    Scene(f"status {OTHER}", [refusal(errors.JobNotFoundError, 404)], ExitCode.NOT_FOUND),
    Scene("status last", code=ExitCode.REFUSED),
    Scene("status 3f0", code=ExitCode.USAGE),
    Scene("status 3f0f6122", [answer({"jobs": [RUNNING], "next_cursor": None})], ExitCode.NOT_FOUND),
    Scene("status 3f0f6122", [answer({"jobs": TWINS, "next_cursor": None})], ExitCode.REFUSED),
    Scene(f"summary {OTHER}", [answer(job()), refusal(errors.JobNotCompletedError, 404)], ExitCode.NOT_FOUND),
    Scene("submit clip.webm", [refusal(errors.InvalidVideoError, 400, WEBM)], ExitCode.REFUSED),
    Scene("submit missing.mp4", code=ExitCode.REFUSED),
    Scene("submit s3://bucket/a.mp4", code=ExitCode.REFUSED),
    Scene("submit videos", code=ExitCode.REFUSED),
    Scene("submit *.mkv", code=ExitCode.REFUSED),
    Scene("submit empty.mp4", code=ExitCode.REFUSED),
    Scene(
        f"watch {OTHER} --timeout 0",
        [answer(RUNNING), answer(status_of("running")), answer(RUNNING)],
        ExitCode.TIMEOUT,
    ),
    Scene(f"cancel {OTHER}", [refusal(errors.JobStateError, 409)], ExitCode.REFUSED),
    Scene(f"delete {OTHER}", code=ExitCode.USAGE, means=(PIPE,)),
    Scene("submit clip.mp4 --frames 3", code=ExitCode.USAGE),
    Scene("submit clip.mp4 --fps many", code=ExitCode.USAGE),
    Scene("submit clip.mp4 --fps nan", code=ExitCode.USAGE),
    Scene("submit clip.mp4 --region 1,2", code=ExitCode.USAGE),
    Scene(f"results {JOB_ID} --format xml", code=ExitCode.USAGE),
    Scene(f"results {JOB_ID} --format yolo", code=ExitCode.USAGE),
    Scene("status", code=ExitCode.USAGE),
    Scene("play", code=ExitCode.USAGE),
]


def transcripts() -> Iterator[tuple[str, str]]:
    """The name of each file and what it holds."""
    yield "help/video-jobs.txt", Scene("--help").transcript()
    for name in COMMANDS:
        yield f"help/{name}.txt", Scene(f"{name} --help").transcript()
    yield "help/config-commands.txt", _together([Scene(f"config {name} --help") for name in CONFIG_COMMANDS])
    for name, scenes in {**TABLES, "errors": ERRORS}.items():
        yield f"{name}.txt", _of_new_user(scenes)


def _of_new_user(scenes: Sequence[Scene]) -> str:
    with TemporaryDirectory(prefix="video-jobs-") as name, new_user(Path(name)):
        folder = Path(name) / "here"
        (folder / "videos").mkdir(parents=True)
        for file, content in {"clip.mp4": b"video", "copy.mp4": b"video", "clip.webm": b"webm"}.items():
            (folder / file).write_bytes(content)
        (folder / "empty.mp4").touch()
        with chdir(folder):
            return _together(scenes)


def _together(scenes: Sequence[Scene]) -> str:
    return "\n".join(scene.transcript() for scene in scenes)


def main() -> None:
    """Write all files."""
    for name, text in transcripts():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
