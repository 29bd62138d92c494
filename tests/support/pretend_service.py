"""The service as a table of answers, for clients whose mistakes and complaints are to be seen."""

from __future__ import annotations

import json
import time
from typing import Any

from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from tests.support.played_service import job, problem_of, status_of
from tools.local_stack.loopback_server import HOST, LoopbackServer

FRAMES = 4
EMPTY_SUMMARY: dict[str, Any] = {
    **{"version": 1, "video": {"width": 1, "height": 1, "duration_ms": None}, "sampling_interval_ms": None},
    **{"classes": [], "tracks": [], "tracks_left_out": 0, "texts": [], "texts_left_out": 0},
}
SIGNATURE = "0123456789abcdef"
TIMES = {"created_at": "2026-03-01T00:00:00Z", "updated_at": "2026-03-01T00:00:01Z"}
PROGRESS = {"pending": 0, "running": 0.5, "completed": 1, "failed": 1}


def frame(index: int, **changes: Any) -> dict[str, Any]:
    box = {"xyxy": [1.0, 2.0, 3.0, 4.0], "confidence": 0.9, "class_id": 2, "class_name": "car"}
    block = {"text": "EXIT", "confidence": 93.0, "bbox": {"x": 0, "y": 0, "width": 9, "height": 9}}
    block |= {"level": 5, "block_num": 1, "line_num": 1}
    found = {"detections": [box], "count": 1, "classes": {"car": 1}}
    read = {"text": "EXIT", "blocks": [block], "confidence": 0.93, "language": "eng", "error": None}
    return {"frame_index": index, "result": found | read | changes}


def status(job_id: str, word: str) -> dict[str, Any]:
    said = {"job_id": job_id, "progress": PROGRESS[word]}
    return status_of(word) | said | {"error_message": "It broke" if word == "failed" else None}


class PretendService(LoopbackServer):
    """API and storage as a table: call to status and body, or to several that come one after the other."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str | None, float]] = []
        self.deleted: list[str] = []
        self.cursors: list[str] = []
        self.headers = {"Retry-After": "0"}
        super().__init__(make_server(HOST, 0, self._application, threaded=True), "pretend-service")
        fields = {"x-amz-signature": SIGNATURE}
        form = {
            "url": f"{self.url}/storage",
            "fields": fields,
            "expires_at": TIMES["updated_at"],
            "max_bytes": 1,
        }
        self.answers: dict[str, Any] = {
            "GET /health": (200, {"status": "ok"}),
            "POST /video/submit text": (400, problem_of("invalid_mp4", 400)),
            "POST /video/submit video": (201, {"job_id": "sent"}),
            "POST /video/submit json": (201, {"job_id": "stored", "upload": form}),
            "POST /storage": (204, {}),
        }
        self.set_job("sent", "completed", [frame(index) for index in range(FRAMES)])
        self.set_job("stored", "completed", [frame(0), frame(2)])

    def set_job(self, job_id: str, word: str, frames: list[dict[str, Any]]) -> None:
        """Make a job what it is to be, in all of its resources."""
        stored, signature = f"{self.url}/storage/{job_id}", f"?X-Amz-Signature={SIGNATURE}"
        tracks = [[1] * len(frame["result"].get("detections", [])) for frame in frames]
        links = {name: f"{stored}/{name}{signature}" for name in ("summary_url", "tracks_url")}
        page = {
            "results": frames,
            "timestamps_ms": [40.0 * frame["frame_index"] for frame in frames],
            "track_ids": tracks,
            "job_id": job_id,
            "next_cursor": None,
            "results_url": f"{stored}{signature}",
        }
        counts = dict.fromkeys(("frames_done", "frames_total"), len(frames)) | {
            "percent": 100,
            "size_bytes": 1,
        }
        summary = EMPTY_SUMMARY | {"frames": len(frames)}
        self.answers |= {
            f"GET /video/status/{job_id}": (200, status(job_id, word)),
            f"GET /video/jobs/{job_id}": (200, job(word, job_id=job_id, progress=PROGRESS[word], **counts)),
            f"GET /video/results/{job_id}": (200, page | links | TIMES),
            f"GET /video/summary/{job_id}": (200, {"summary": summary, "job_id": job_id} | links | TIMES),
            f"GET /storage/{job_id}": (200, {"results": frames}),
            f"GET /storage/{job_id}/summary_url": (200, summary),
            f"GET /storage/{job_id}/tracks_url": (200, {"track_ids": tracks}),
            f"DELETE /video/jobs/{job_id}": (204, {}),
        }

    def change(self, call: str, **fields: Any) -> None:
        """Let an answer hold other fields."""
        code, body = self.answers[call]
        self.answers[call] = (code, body | fields)

    def _application(self, environ: dict[str, Any], start_response: Any) -> Any:
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        call = f"{request.method} {request.path}"
        self.seen.append((call, request.headers.get("Authorization"), time.monotonic()))
        self.cursors += request.args.getlist("cursor")
        if request.path == "/video/submit":
            call += " json" if request.is_json else " video" if b"ftyp" in request.get_data() else " text"
        code, body = self._next(call)
        if request.path.endswith("/cancel"):
            self.answers[f"DELETE {request.path.removesuffix('/cancel')}"] = (204, {})
        if request.method == "DELETE" and code == 204:
            self.answers.pop(f"GET {request.path}")
            self.deleted.append(request.path.rpartition("/")[2])
        content = body if isinstance(body, str) else json.dumps(body)
        kind = "application/problem+json" if "code" in body else "application/json"
        return Response(content, code, self.headers, "text/html" if isinstance(body, str) else kind)

    def _next(self, call: str) -> tuple[int, Any]:
        answer = self.answers.get(call, (404, problem_of("job_not_found", 404)))
        code, body = answer.pop(0) if isinstance(answer, list) else answer
        return code, body
