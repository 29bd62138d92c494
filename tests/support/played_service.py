"""A service that is played: it answers the client's requests from a list, and keeps what was asked."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from video_jobs_client import AsyncClient, Client
from video_jobs_client.protocol.retries import Retries, Retry

from tests.support.client_user import ClientUser, using

JOB_ID = "3f0f6122-979e-4cf4-b70a-224e165cc97b"
URL = "https://api.example.com"
Reply = httpx2.Response | Exception | Callable[[httpx2.Request], httpx2.Response]


def job(status: str = "pending", **changed: Any) -> dict[str, Any]:
    """A job resource."""
    nothing = dict.fromkeys((
        *("max_frames", "filename", "text_engine", "min_confidence", "region", "start_ms", "end_ms"),
        *("frames_per_second", "source_host", "size_bytes", "frames_total", "percent"),
        *("video", "fingerprint", "error", "webhook", "usage"),
    ))  # fmt: skip
    told = {"job_id": JOB_ID, "status": status, "progress": 0.0, "pipeline_id": "yolo_ocr", "frame_stride": 1}
    lists: dict[str, Any] = {"languages": [], "classes": [], "warnings": [], "warning_details": []}
    counts = {"frames_done": 0, "helpers": 0, "attempt": 0}
    times = {"created_at": "2026-11-25T10:00:00Z", "updated_at": "2026-11-25T10:00:00Z"}
    return {**nothing, **told, **lists, **counts, **times, **changed}


def status_of(status: str) -> dict[str, Any]:
    """A short answer."""
    whole = job(status)
    names = ("job_id", "status", "progress", "created_at", "updated_at")
    return {**{name: whole[name] for name in names}, "error_message": None}


def answer(body: Any = None, status: int = 200, **headers: str) -> httpx2.Response:
    """An answer with JSON."""
    return httpx2.Response(status, json=body, headers=headers)


def problem(code: str, status: int, **headers: str) -> httpx2.Response:
    """A refusal of the service."""
    told = {"content-type": "application/problem+json", **headers}
    return httpx2.Response(status, json=problem_of(code, status, f"No: {code}"), headers=told)


def problem_of(code: str, status: int, detail: str = "No") -> dict[str, Any]:
    """The document of a refusal."""
    told = {"type": "about:blank", "title": "No", "status": status, "detail": detail, "code": code}
    return {**told, "request_id": "r-1"}


@dataclass
class PlayedService:
    """Gives its replies one after the other; an error is raised in place of an answer."""

    replies: list[Reply]
    asked: list[httpx2.Request] = field(default_factory=list)
    retries: list[Retry] = field(default_factory=list)

    def reply(self, request: httpx2.Request) -> httpx2.Response:
        """The next reply, once the whole request was read."""
        request.read()
        self.asked.append(request)
        found = self.replies.pop(0)
        if isinstance(found, Exception):
            raise found
        if callable(found):
            return found(request)
        return httpx2.Response(found.status_code, headers=found.headers, content=found.content)  # a fresh one

    @property
    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [f"{one.method} {one.url.path}" for one in self.asked]

    def client(self, **settings: Any) -> Client:
        """A client that hardly pauses."""
        return Client(URL, transport=httpx2.MockTransport(self.reply), retries=self._quick(), **settings)

    def async_client(self, **settings: Any) -> AsyncClient:
        """The same for an event loop."""

        async def reply(request: httpx2.Request) -> httpx2.Response:
            await request.aread()
            return self.reply(request)

        transport = httpx2.MockTransport(reply)
        return AsyncClient(URL, transport=transport, retries=self._quick(), **settings)

    def _quick(self) -> Retries:
        return Retries(first_s=0.001, longest_s=0.001, on_retry=self.retries.append)

    def user(self, is_async: bool, **settings: Any) -> AbstractContextManager[ClientUser]:
        """A program that uses the one client or the other."""
        return using(self.async_client(**settings) if is_async else self.client(**settings), self.retries)

    def did(self, name: str, *arguments: Any, is_async: bool = False, **settings: Any) -> Any:
        """What a method of ``client.jobs`` gives."""
        with self.user(is_async, **settings) as user:
            return user.do(getattr(user.client.jobs, name), *arguments)
