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
_SEPARATOR = b"|"


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
        """The file."""
        head = b"garbage, not at all a video" if self.kind is Kind.NO_MP4 else _MP4_HEAD
        parts = (head, self.kind.encode(), str(self.frames).encode(), str(self.seed).encode())
        return _SEPARATOR.join(parts)

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read what `to_bytes` wrote."""
        _, kind, frames, seed = content.split(_SEPARATOR)
        return cls(Kind(kind.decode()), int(frames), int(seed))

    def frame(self, index: int) -> dict[str, Any]:
        """What the pipeline finds on one frame."""
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

    def prepare(self) -> None:
        """Nothing to load."""

    def fingerprint(self, pipeline_id: str) -> dict[str, Any]:
        """Which release this is."""
        return {"id": f"release-{self._release}", "pipeline": pipeline_id}

    def run(self, request: RunRequest, keep_going: KeepGoing | None = None) -> SimulatedRun:
        """Start a run."""
        video = SimulatedVideo.from_bytes(request.path.read_bytes())
        return SimulatedRun(video, self._process, request.skip_frames, keep_going)


class SimulatedRun:
    """One pass: every frame takes some seconds."""

    def __init__(
        self, video: SimulatedVideo, process: Process, skip_frames: int, keep_going: KeepGoing | None
    ) -> None:
        if video.kind is Kind.BROKEN:
            raise UnreadableVideoError
        self._video, self._process = video, process
        self._skip_frames, self._keep_going = skip_frames, keep_going
        self.frames_total: int | None = video.frames
        self.warnings: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for index in range(self._skip_frames, self._video.frames):
            self._process.sleep(self._process.faults.random.uniform(0.5, 15))
            if self._video.kind is Kind.DEADLY and index == self._video.frames - 1:
                self._process.die()
            self._process.step("at a frame")
            yield self._video.frame(index)
            if self._keep_going is not None:
                self._keep_going()
