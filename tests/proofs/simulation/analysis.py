"""Videos of the simulation, and what analyses them: time passes, frames come, some videos kill."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from video_jobs.domain.errors import UnreadableVideoError
from video_worker.analysis import KeepGoing, RunRequest
from video_worker.results_serializer import frame_line, write_results

from tests.proofs.simulation.faults import Process

_MP4_HEAD = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2"


class Kind(StrEnum):
    """What a video does to a job."""

    GOOD = "good"
    BROKEN = "broken"
    DEADLY = "deadly"
    NO_MP4 = "no_mp4"


@dataclass(frozen=True, slots=True)
class SimulatedVideo:
    """A video whose bytes tell what happens when it is analysed."""

    kind: Kind
    frames: int
    seed: int

    def to_bytes(self) -> bytes:
        head = b"garbage, not at all a video" if self.kind is Kind.NO_MP4 else _MP4_HEAD
        return head + f"|{self.kind}|{self.frames}|{self.seed}".encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        kind, frames, seed = content.decode("latin-1").split("|")[1:]
        return cls(Kind(kind), int(frames), int(seed))

    def frame(self, index: int) -> dict[str, Any]:
        return {"frame_index": index, "result": {"value": (self.seed * 31 + index) % 1009}}

    def results(self) -> bytes:
        """The results file of an undisturbed run."""
        with TemporaryDirectory() as folder:
            part, results = Path(folder) / "part", Path(folder) / "results"
            lines = [frame_line(self.frame(index)) for index in range(self.frames)]
            part.write_bytes(b"".join(line + b"\n" for line in lines))
            write_results([part], results, Path(folder) / "index")
            return results.read_bytes()


class SimulatedAnalysis:
    """`video_worker.analysis.AnalysisService` in simulated time.

    Two releases of the worker run side by side; their results are the same, their fingerprints are not.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        self._release = process.faults.random.choice(("a", "a", "a", "b"))

    def prepare(self) -> None: ...

    def fingerprint(self, pipeline_id: str) -> dict[str, Any]:
        return {"id": f"release-{self._release}", "pipeline": pipeline_id}

    def run(self, request: RunRequest, keep_going: KeepGoing | None = None) -> SimulatedRun:
        video = SimulatedVideo.from_bytes(request.path.read_bytes())
        if video.kind is Kind.BROKEN:
            raise UnreadableVideoError
        return SimulatedRun(video.frames, self._frames(video, request.skip_frames, keep_going))

    def _frames(
        self, video: SimulatedVideo, skip_frames: int, keep_going: KeepGoing | None
    ) -> Iterator[dict[str, Any]]:
        for index in range(skip_frames, video.frames):
            self._process.sleep(self._process.faults.random.uniform(0.5, 15))
            if video.kind is Kind.DEADLY and index == video.frames - 1:
                self._process.die()
            self._process.step("at a frame")
            yield video.frame(index)
            if keep_going is not None:
                keep_going()


class SimulatedRun:
    """One pass: every frame takes some seconds."""

    warnings: tuple[str, ...] = ()

    def __init__(self, frames_total: int | None, frames: Iterator[dict[str, Any]]) -> None:
        self.frames_total, self._frames = frames_total, frames

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self._frames
