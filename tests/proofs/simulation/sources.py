"""Servers of videos in simulated time, which fail and change files, and the queue of fetches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from video_jobs.domain.errors import SourceInterruptedError, SourceUnreachableError
from video_jobs.source_ports import SourceAnswer

from tests.proofs.simulation.analysis import SimulatedVideo
from tests.proofs.simulation.faults import FaultPlan, Process

CHUNK_BYTES = 32
"""A video has one to three chunks of this size."""

_BLOCK_BYTES = 10


@dataclass
class SimulatedServers:
    """What stood at each URL, the newest last."""

    videos: dict[str, list[SimulatedVideo]] = field(default_factory=dict)

    def put(self, url: str, video: SimulatedVideo) -> None:
        self.videos.setdefault(url, [video])

    def contents(self, url: str) -> set[bytes]:
        return {video.to_bytes() for video in self.videos[url]}


class SimulatedReader:
    """`video_jobs.source_ports.SourceReader` of one process; some servers have no ranges."""

    def __init__(self, process: Process, servers: SimulatedServers) -> None:
        self._process, self._faults, self._servers = process, process.faults, servers

    @contextmanager
    def open(self, url: str, start: int = 0, etag: str | None = None) -> Iterator[SourceAnswer]:
        self._process.step("before a request")
        if self._faults.happens("source away", 0.15):
            raise SourceUnreachableError(may_pass=True)
        videos = self._servers.videos[url]
        if self._faults.happens("source changed", 0.1):
            videos.append(replace(videos[-1], frames=videos[-1].frames + 1))
        content, own = videos[-1].to_bytes(), f'"{len(videos)}"'
        begin = start if videos[0].seed % 3 and etag == own else 0
        yield SourceAnswer(
            start=begin, size_bytes=len(content), etag=own, blocks=self._blocks(content[begin:])
        )

    def _blocks(self, content: bytes) -> Iterator[bytes]:
        for place in range(0, len(content), _BLOCK_BYTES):
            self._process.step("during a fetch")
            if self._faults.happens("source cut", 0.05):
                raise SourceInterruptedError(may_pass=True)
            yield content[place : place + _BLOCK_BYTES]


class SimulatedFetches:
    """The queue of fetches; ``receive`` gets each message with its delay, once, twice or never."""

    def __init__(self, faults: FaultPlan, receive: Callable[[str, float], None]) -> None:
        self._faults, self._receive = faults, receive

    def send(self, job_id: str, delay_s: int = 0) -> None:
        if self._faults.happens("lost fetch", 0.05):
            return
        for _ in range(2 if self._faults.happens("duplicate fetch", 0.1) else 1):
            self._receive(job_id, delay_s)
