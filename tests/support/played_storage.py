"""A service that is played with its storage: it takes jobs, signs parts, and keeps what arrives."""

from __future__ import annotations

import json

import httpx2

from tests.support.played_service import JOB_ID, PlayedService, answer, job, problem

PART = 10
VIDEO = bytes(range(35))
PARTS = [VIDEO[at : at + PART] for at in range(0, len(VIDEO), PART)]


class Storage(PlayedService):
    """A service with its storage: it takes jobs, signs parts, and keeps what arrives.

    ``breaks`` maps a request (its method and path) to replies that come before the usual ones.
    """

    def __init__(self, **breaks: list[httpx2.Response | Exception]) -> None:
        super().__init__([])
        self.parts: dict[int, bytes] = {}
        self.put: list[int] = []
        self.keys: list[str] = []
        self.forms: list[bytes] = []
        self.jobs = 0
        self.breaks = breaks
        self.signatures = 0
        self.is_complete = False

    def reply(self, request: httpx2.Request) -> httpx2.Response:
        request.read()
        self.asked.append(request)
        verb = request.url.path.rpartition("/")[2] if request.url.host == "api.example.com" else "storage"
        if self.breaks.get(verb):
            broken = self.breaks[verb].pop(0)
            if isinstance(broken, Exception):
                raise broken
            return httpx2.Response(broken.status_code, headers=broken.headers, content=broken.content)
        return getattr(self, f"_{verb.replace('-', '_')}", self._job)(request)

    def _submit(self, request: httpx2.Request) -> httpx2.Response:
        key = request.headers["idempotency-key"]
        self.jobs += key not in self.keys
        self.keys.append(key)
        if request.headers["content-type"] != "application/json":
            return answer({"job_id": JOB_ID}, 201)
        wanted = json.loads(request.content)
        if "source_url" in wanted:
            return answer({"job_id": JOB_ID}, 201)
        if wanted["upload_method"] == "multipart":
            count = -(-wanted["size_bytes"] // PART)
            return answer({"job_id": JOB_ID, "multipart": {"part_bytes": PART, "part_count": count}}, 201)
        upload = {"url": "https://bucket.example.com/", "fields": {"key": "videos/1", "policy": "p"}}
        return answer(
            {
                "job_id": JOB_ID,
                "upload": {**upload, "expires_at": "2026-11-25T10:00:00Z", "max_bytes": 100},
            },
            201,
        )

    def _upload(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "DELETE":
            return answer(job("failed"))
        stored = [{"part_number": n, "size_bytes": len(c)} for n, c in sorted(self.parts.items())]
        return answer({"part_bytes": PART, "part_count": 4, "size_bytes": len(VIDEO), "parts": stored})

    def _parts(self, request: httpx2.Request) -> httpx2.Response:
        self.signatures += 1
        numbers = json.loads(request.content)["part_numbers"]
        signed = [
            {"part_number": n, "size_bytes": 1, "url": f"https://bucket.example.com/{n}?X-Amz-Signature=s"}
            for n in numbers
        ]
        return answer({"parts": signed, "expires_at": "2026-11-25T10:00:00Z"})

    def _complete(self, request: httpx2.Request) -> httpx2.Response:
        if b"".join(content for _, content in sorted(self.parts.items())) != VIDEO:
            return problem("upload_incomplete", 409)
        self.is_complete = True
        return answer(job())

    def _storage(self, request: httpx2.Request) -> httpx2.Response:
        assert "authorization" not in request.headers
        assert int(request.headers["content-length"]) == len(request.content)
        if request.method == "POST":
            self.forms.append(request.content)
            return httpx2.Response(204)
        number = int(request.url.path.removeprefix("/"))
        self.put.append(number)
        self.parts[number] = request.content
        return httpx2.Response(200)

    def _job(self, request: httpx2.Request) -> httpx2.Response:
        return answer(job())
