"""What the analysing process does when it is told to end a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from video_worker.analysis import AnalysedFrame, RunRequest
from video_worker.isolation import child
from video_worker.isolation.messages import EndRun, RunEnded, RunOpened
from video_worker.pipeline_run import PipelineRun

from tests.support.numbered_video import NumberedVideo, only
from tests.unit.test_pipeline_run import NumberReader

REQUEST = RunRequest(Path("any"), "numbers", part_frames=4)


class Pipe:
    """The process's end of the pipe: ``end_after`` so many answers it is told to end."""

    def __init__(self, request: Any, end_after: int | None = None) -> None:
        self._received: Iterator[Any] = iter([request])
        self._end_after = end_after
        self.sent: list[Any] = []

    def recv(self) -> Any:
        return next(self._received)

    def poll(self) -> bool:
        return len(self.sent) == self._end_after

    def send(self, answer: Any) -> None:
        self.sent.append(answer)


class Service:
    """Runs over a numbered video."""

    def __init__(self) -> None:
        self.video, self.tool = NumberedVideo(10), NumberReader()

    def run(self, request: RunRequest) -> PipelineRun:
        return PipelineRun(self.video(request.path), only(self.tool), request, 1, None)


def served(pipe: Pipe, service: Service) -> list[Any]:
    child._serve_one(pipe, service)  # type: ignore[arg-type]
    return pipe.sent


@pytest.mark.parametrize(("end_after", "frames"), [(2, 1), (4, 3), (None, 10), (14, 10)])
def test_a_run_ends_when_it_is_told_to(end_after: int | None, frames: int) -> None:
    service = Service()
    sent = served(Pipe(REQUEST, end_after), service)
    assert (type(sent[0]), sent[-1]) == (RunOpened, RunEnded())
    assert [item.frame_index for item in sent if isinstance(item, AnalysedFrame)] == list(range(frames))
    assert service.video.open_now == 0


def test_an_end_that_comes_after_the_run_is_not_answered() -> None:
    assert served(Pipe(EndRun()), Service()) == []
