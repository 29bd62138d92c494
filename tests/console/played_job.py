"""A job whose results are known, and a service that plays it to the console."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from video_jobs.domain.video import VideoFacts
from video_worker.analysis import AnalysedFrame
from video_worker.summary.fold import summary_bytes
from video_worker.video.video_reader import VideoReader
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from tests.support.folding import folded
from tests.support.played_service import JOB_ID, job
from tools.local_stack.console import Console
from tools.local_stack.loopback_server import HOST, LoopbackServer

Result = dict[str, Any]
MISSING = {"status": 404, "code": "video_missing", "detail": "This job has no video: it has not arrived yet"}
RESTARTED = {"status": 409, "code": "results_restarted", "detail": "The results were computed anew"}


@dataclass
class PlayedJob:
    """A completed job; with ``visible`` it runs, and so many of its frames are final.

    Attributes
    ----------
    frames
        Index, time and result of each analysed frame.
    """

    video: Path
    facts: VideoFacts
    frames: list[tuple[int, float, Result]]
    visible: int | None = None
    changed: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of_video(
        cls, video: Path, result_of: Callable[[int, VideoFacts], Result], stride: int = 1
    ) -> PlayedJob:
        """What is found on each picture, by its index."""
        with VideoReader(video) as reader:
            facts, times = reader.facts, [picture.timestamp_ms for picture in reader.frames(0)]
        chosen = [(index, time) for index, time in enumerate(times) if index % stride == 0]
        return cls(video, facts, [(index, time, result_of(index, facts)) for index, time in chosen])

    @cached_property
    def _folded(self) -> tuple[dict[str, Any], list[list[int | None]]]:
        frames = [AnalysedFrame(index, time, result) for index, time, result in self.frames]
        summary, tracks = folded(frames, self.facts)
        return json.loads(summary_bytes(summary)), [list(one.track_ids) for one in tracks]

    @property
    def summary(self) -> dict[str, Any]:
        return self._folded[0]

    def resource(self) -> dict[str, Any]:
        """The answer of ``GET /video/jobs/{job_id}``."""
        count, done = len(self.frames), len(self.frames) if self.visible is None else self.visible
        told = {
            "status": "completed" if self.visible is None else "running",
            "filename": self.video.name,
            "frames_done": done,
            "frames_total": count,
            "percent": 100 * done // count,
            "video": asdict(self.facts),
        }
        return job(**{**told, **self.changed})

    def page(self, first: int, end: int, has_tracks: bool, told: dict[str, Any]) -> dict[str, Any]:
        """The answer for some of the frames."""
        chosen = self.frames[first:end]
        page = {
            "results": [{"frame_index": index, "result": result} for index, _, result in chosen],
            "timestamps_ms": [time for _, time, _ in chosen],
            **_named(),
            "results_url": None,
            "summary_url": None,
            "tracks_url": None,
            **told,
        }
        return {**page, "track_ids": self._folded[1][first:end]} if has_tracks else page


class PlayedService(LoopbackServer):
    """The console, and an API that knows one job.

    Attributes
    ----------
    played
        The job.
    expires_s
        How long signed URLs of the video are valid.
    asked
        The paths with queries that the console asked for.
    turns
        What happens to the job when a script asks for a path.
    largest_page
        How many frames the largest answer had.
    has_video
        Whether the video has arrived.
    is_storage_up
        Whether the storage gives it.
    restarts
        How often a cursor is still answered with ``results_restarted``.
    """

    def __init__(self, console: Path, played: PlayedJob) -> None:
        super().__init__(make_server(HOST, 0, Request.application(self._answer), threaded=True), "played")
        self._console = Console(console, self.url)
        self.played = played
        self.expires_s = 900.0
        self._refused_before = 0.0
        self.asked: list[str] = []
        self.has_video = self.is_storage_up = True
        self.restarts = 0
        self.largest_page = 0
        self.turns: dict[str, Callable[[], None]] = {}

    def refuse_signed(self) -> None:
        """Take no URL of the video any more that was signed before."""
        self._refused_before = time.monotonic()

    def _answer(self, request: Request) -> Response:
        path = request.path.removeprefix("/video/")
        if path == "file":
            return self._file(request)
        self.asked.append(request.full_path)
        if request.path in self.turns:
            self.turns[request.path]()
            return _json({})
        answers: dict[str, Callable[[Request], Response]] = {
            f"jobs/{JOB_ID}": lambda _: _json(self.played.resource()),
            f"jobs/{JOB_ID}/video": self._signed,
            f"summary/{JOB_ID}": self._summary,
            f"results/{JOB_ID}": self._results,
        }
        if path in answers:
            return answers[path](request)
        return self._console.answer(request) or _json(
            {"status": 404, "code": "x", "detail": "Job not found"}, 404
        )

    def _summary(self, _: Request) -> Response:
        if self.played.visible is not None:
            return _json({"status": 404, "code": "job_not_completed", "detail": "Job not completed"}, 404)
        return _json({"summary": self.played.summary, **_named(), "summary_url": "", "tracks_url": ""})

    def _signed(self, _: Request) -> Response:
        if not self.has_video:
            return _json(MISSING, 404)
        expires = datetime.now(UTC) + timedelta(seconds=self.expires_s)
        url = f"{self.url}/video/file?signed={time.monotonic()}&X-Amz-Expires={self.expires_s}"
        size = self.played.video.stat().st_size
        return _json(
            {"job_id": JOB_ID, "video_url": url, "expires_at": expires.isoformat(), "size_bytes": size}
        )

    def _file(self, request: Request) -> Response:
        if not self.is_storage_up or float(request.args["signed"]) < self._refused_before:
            return Response("expired", 403)
        content = self.played.video.read_bytes()
        answer = Response(content, content_type="video/mp4")
        return answer.make_conditional(request.environ, accept_ranges=True, complete_length=len(content))

    def _results(self, request: Request) -> Response:
        args, played = request.args, self.played
        is_partial, limit = (
            args.get("partial") == "true",
            int(args.get("limit", 1_000_000)),
        )
        if "cursor" in args and is_partial and self.restarts:
            self.restarts -= 1
            return _json(RESTARTED, 409)
        known = len(played.frames) if played.visible is None else played.visible
        from_ms, to_ms = float(args.get("from_ms", 0)), float(args.get("to_ms", "inf"))
        chosen = [at for at in range(known) if from_ms <= played.frames[at][1] <= to_ms]
        begin = int(args.get("cursor", chosen[0] if chosen else 0))
        end = min(begin + limit, chosen[-1] + 1 if chosen else 0)
        self.largest_page = max(self.largest_page, end - begin)
        has_more = end < (chosen[-1] + 1 if chosen else 0) or (is_partial and played.visible is not None)
        told = {"complete": played.visible is None, "next_cursor": str(max(begin, end)) if has_more else None}
        return _json(played.page(begin, end, args.get("include") == "tracks", told))


def box_on(index: int, facts: VideoFacts) -> list[float]:
    """A box that tells the number of its picture by its place."""
    left, top = 8.0 + 7.0 * (index % 24), 20.0 + 3.0 * (index % 17)
    return [left, top, left + 60, top + 50]


def one_box(index: int, facts: VideoFacts) -> Result:
    found = {"xyxy": box_on(index, facts), "confidence": 0.9, "class_id": 2, "class_name": "car"}
    return {"detections": [found], "text": "", "blocks": []}


def _named() -> dict[str, Any]:
    return {name: job()[name] for name in ("job_id", "created_at", "updated_at")}


def _json(body: Any, status: int = 200) -> Response:
    kind = "application/json" if status < 400 else "application/problem+json"
    return Response(json.dumps(body), status, content_type=kind)
