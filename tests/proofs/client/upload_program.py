"""A program that uploads a video in parts, and kills itself on the way if it is told to.

``python -m tests.proofs.client.upload_program sync|async URL VIDEO LOG [KILL_AFTER_BYTES]`` prints its job.
To LOG it writes, line by line and at once, each part whose sending begins, and in the end, or shortly before
its death, the most memory that it had in use.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
from video_jobs_client import AsyncClient, Client
from video_jobs_client.uploads import UploadSettings, UploadState


@dataclass(frozen=True)
class Log:
    """Survives the program's sudden death: each line is written by itself."""

    path: Path

    def write(self, word: str, value: object) -> None:
        with self.path.open("ab", buffering=0) as file:
            file.write(f"{word} {value}\n".encode())

    def begin(self, request: httpx2.Request) -> None:
        """A part is about to be sent."""
        if request.method == "PUT":
            (number,) = parse_qs(urlsplit(str(request.url)).query)["partNumber"]
            self.write("part", number)

    def peak(self) -> None:
        """The most memory that this process had in use, in KiB."""
        found = re.search(r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text("ascii"), re.MULTILINE)
        assert found is not None
        self.write("peak_kib", found[1])


class LoggedTransport(httpx2.HTTPTransport):
    """The network, with a log."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self._log.begin(request)
        return super().handle_request(request)


class LoggedAsyncTransport(httpx2.AsyncHTTPTransport):
    """The same for asyncio."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self._log.begin(request)
        return await super().handle_async_request(request)


@dataclass(frozen=True)
class Killer:
    """Ends the program as a crash does, in the middle of the parts that are being sent."""

    log: Log
    after_bytes: int | None

    def __call__(self, state: UploadState) -> None:
        if self.after_bytes is not None and state.sent_bytes >= self.after_bytes:
            self.log.peak()
            os.kill(os.getpid(), signal.SIGKILL)


def upload_sync(url: str, video: Path, upload: UploadSettings, log: Log) -> str:
    with Client(url, transport=LoggedTransport(log)) as client:
        return client.analyse(video, upload=upload, pipeline_id="yolo_only").id


async def upload_async(url: str, video: Path, upload: UploadSettings, log: Log) -> str:
    async with AsyncClient(url, transport=LoggedAsyncTransport(log)) as client:
        return (await client.analyse(video, upload=upload, pipeline_id="yolo_only")).id


def main(kind: str, url: str, video: str, log_file: str, kill_after: str | None = None) -> None:
    """Upload the video."""
    log = Log(Path(log_file))
    killer = Killer(log, None if kill_after is None else int(kill_after))
    upload = UploadSettings(method="multipart", on_progress=killer)
    if kind == "sync":
        job_id = upload_sync(url, Path(video), upload, log)
    else:
        job_id = asyncio.run(upload_async(url, Path(video), upload, log))
    log.peak()
    print(job_id)


if __name__ == "__main__":
    main(*sys.argv[1:])
