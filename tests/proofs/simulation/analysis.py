"""Videos of the simulation, and what analyses them: time passes, frames come, some videos kill."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from video_jobs.domain.errors import UnreadableVideoError
from video_jobs.domain.text_engines import NOTHING_CHOSEN, TextChoice
from video_jobs.domain.video import JobWarning
from video_worker.analysis import AnalysedFrame, KeepGoing, PartNotes, RunRequest
from video_worker.dag_runner import Payload
from video_worker.pipeline_run import PipelineRun
from video_worker.results_serializer import warnings_of

from tests.proofs.simulation.faults import Process
from tests.support.joining import joined, part_lines
from tests.support.numbered_video import US_A_PICTURE, NumberedVideo, only

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

    @property
    def lost(self) -> set[int]:
        """Pictures that cannot be decoded; never all of them."""
        return {index for index in range(self.frames) if (self.seed + index) % 4 == 3 and self.frames > 1}

    @property
    def is_divisible(self) -> bool:
        return self.seed % 5 != 1

    @property
    def opened(self) -> NumberedVideo:
        return NumberedVideo(self.frames, self.lost, is_divisible=self.is_divisible)

    def result(self, index: int) -> dict[str, Any]:
        box = [index, self.seed, index + 20, self.seed + 9]
        found = {"xyxy": box, "confidence": 0.8, "class_id": 0, "class_name": "person"}
        return {"value": (self.seed * 31 + index) % 1009, "detections": [found] * (index % 3)}

    @cache  # noqa: B019 - there are few videos, and many jobs
    def results(self) -> tuple[list[bytes], tuple[JobWarning, ...]]:
        """The files of the results and the warnings of an undisturbed run."""
        frames = [
            AnalysedFrame(index, index * US_A_PICTURE / 1000, self.result(index))
            for index in range(self.frames)
            if index not in self.lost
        ]
        notes = PartNotes(len(self.lost), min(self.lost, default=None))
        with TemporaryDirectory() as folder:
            made = joined(Path(folder), part_lines(frames, notes), video=self.opened.facts)
            return [path.read_bytes() for path in made.files], warnings_of([notes])


class SimulatedAnalysis:
    """`video_worker.analysis.AnalysisService` in simulated time.

    Two releases of the worker run side by side; their results are the same, their fingerprints are not.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        self._release = process.faults.random.choice(("a", "a", "a", "b"))
        self.fingerprint_id = f"release-{self._release}"

    def prepare(self) -> None: ...

    def fingerprint(self, pipeline_id: str, text: TextChoice = NOTHING_CHOSEN) -> dict[str, Any]:
        return {"id": self.fingerprint_id, "pipeline": pipeline_id}

    def run(self, request: RunRequest, keep_going: KeepGoing | None = None) -> PipelineRun:
        video = SimulatedVideo.from_bytes(request.path.read_bytes())
        if video.kind is Kind.BROKEN:
            raise UnreadableVideoError
        runner = only(SimulatedTool(self._process, video))
        return PipelineRun(video.opened, runner, request, 1, keep_going)


class SimulatedTool:
    """Every frame takes some seconds."""

    def __init__(self, process: Process, video: SimulatedVideo) -> None:
        self._process, self._video = process, video

    def run(self, payload: Payload) -> dict[str, Any]:
        index = payload["frame_index"]
        self._process.sleep(self._process.faults.random.uniform(0.5, 15))
        if self._video.kind is Kind.DEADLY and index == max(
            set(range(self._video.frames)) - self._video.lost
        ):
            self._process.die()
        self._process.step("at a frame")
        return self._video.result(index)
