"""One helper: what it stores, what it says of it, and that no error of it goes further."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from video_jobs.domain.errors import (
    FileMissingError,
    JobTooLongError,
    PipelineError,
    TransientError,
    UnknownPipelineError,
)
from video_jobs.domain.keys import parts_prefix
from video_jobs.domain.segments import HelpMessage, Segment
from video_jobs.settings import WorkerSettings
from video_jobs.use_cases.work import LeaseLostError
from video_worker.analysis import AnalysedFrame, RunRequest
from video_worker.going_on import GoingOn
from video_worker.helping import Helper
from video_worker.pipeline_run import PipelineRun
from video_worker.stop_signal import StoppedError, StopSignal

from tests.support.clock import ManualClock
from tests.support.crew import StillHeart
from tests.support.help_world import HELPER, HOLDER, JOB_ID, HelpWorld
from tests.support.numbered_video import NumberedVideo, only
from tests.unit.test_pipeline_run import NumberReader

PICTURES = 40


class Pipelines:
    """A numbered video, whatever the file is; ``act`` is called with each frame's number."""

    def __init__(self) -> None:
        self.video = NumberedVideo(PICTURES)
        self.fingerprint_id = "f"
        self.act: Callable[[int], None] = lambda _: None
        self.opened: list[tuple[int, int | None]] = []
        self.seen: list[int] = []
        self.closed = 0

    def prepare(self) -> None:
        """Nothing to prepare."""

    def fingerprint(self, *_: object) -> dict[str, Any]:
        if not self.fingerprint_id:
            raise UnknownPipelineError("none")
        return {"id": self.fingerprint_id}

    def run(self, request: RunRequest, keep_going: Any = None) -> PipelineRun:
        self.opened.append((request.first_part, request.end_part))
        run = PipelineRun(self.video(request.path), only(_Watched(self)), request, 1, keep_going)
        close = run.close

        def watched() -> None:
            self.closed += 1
            close()

        run.close = watched  # type: ignore[method-assign]
        return run


class _Watched(NumberReader):
    def __init__(self, pipelines: Pipelines) -> None:
        super().__init__()
        self._pipelines = pipelines

    def begin_part(self) -> Any:
        return self

    def run(self, payload: Any) -> dict[str, Any]:
        self._pipelines.seen.append(payload["frame_index"])
        self._pipelines.act(payload["frame_index"])
        return super().run(payload)


class Scene:
    """A helper, and a job with parts of four pictures that has two segments of three parts."""

    def __init__(self, folder: Path) -> None:
        self.world, self.pipelines = HelpWorld(running_per_owner=100), Pipelines()
        self.world.change(part_frames=4)
        self.ports, self.stop = self.world.app.ports, StopSignal(grace_s=0)
        self.protected = 0
        self.folder = folder
        video = folder / "any.mp4"
        video.write_bytes(b"video")
        self.ports.storage.save_file("k", video, "video/mp4")
        version = self.ports.storage.find_file("k")
        assert version is not None
        upload = self.world.job.upload
        self.world.change(upload=type(upload)(key="k", state=upload.state, version=version.version))
        self.world.offer(range(3), range(3, 6))
        self.heart: StillHeart

    def help(self, number: int = 1) -> bool:
        settings = WorkerSettings.from_environment({"MODEL_PATH": "/nowhere", "WORK_DIR": str(self.folder)})
        helper = Helper(
            self.world.app,
            self.pipelines,
            settings,
            self.stop,
            HELPER,
            pause_s=1,
            logger=Logger(),
            protection=self._protection(),
            heartbeat_type=self._heart,
        )
        return helper.help(HelpMessage(JOB_ID, number))

    @property
    def stored(self) -> list[int]:
        keys = self.ports.storage.list_keys(parts_prefix(JOB_ID))
        return sorted(int(Path(key).stem) for key in keys)

    @property
    def segment(self) -> Segment:
        return self.world.segments[1]

    def _heart(self, *arguments: Any) -> StillHeart:
        self.heart = StillHeart(*arguments)
        return self.heart

    @contextmanager
    def _protection(self) -> Any:
        self.protected += 1
        yield


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_helper_stores_the_parts_of_its_segment(scene: Scene) -> None:
    assert scene.help()
    assert scene.stored == [3, 4, 5]
    assert scene.pipelines.opened == [(3, 6)]
    assert scene.pipelines.closed == 1
    assert scene.pipelines.video.open_now == 0
    assert scene.segment.is_done
    assert (scene.segment.used.frames, scene.segment.used.bytes) == (12, 5)
    # AND nothing of it stays on the machine
    assert [path.name for path in scene.folder.iterdir()] == ["any.mp4"]
    assert scene.protected == 1


def test_its_heart_tells_how_many_parts_are_stored(scene: Scene) -> None:
    told: list[int] = []

    def beat(_: int) -> None:
        scene.heart.beat()
        told.append(scene.segment.parts_done)

    scene.pipelines.act = beat
    assert scene.help()
    assert told == [0] * 4 + [1] * 4 + [2] * 4


def test_what_an_earlier_claimant_stored_is_not_computed_again(scene: Scene) -> None:
    assert scene.help()
    middle = next(key for key in scene.ports.storage.list_keys(parts_prefix(JOB_ID)) if "4" in Path(key).stem)
    others = [key for key in scene.ports.storage.list_keys(parts_prefix(JOB_ID)) if key != middle]
    scene.ports.storage.delete_files(others)
    scene.world.help.give_back(scene.world.help.take(scene.segment, HOLDER, again=True), scene.segment.used)  # type: ignore[arg-type]
    scene.pipelines.seen.clear()
    assert scene.help()
    assert scene.stored == [3, 4, 5]
    assert scene.pipelines.seen == [12, 13, 14, 15, 20, 21, 22, 23]


def test_a_segment_that_is_all_stored_needs_no_video(scene: Scene) -> None:
    assert scene.help()
    scene.world.help.give_back(scene.world.help.take(scene.segment, HOLDER, again=True), scene.segment.used)  # type: ignore[arg-type]
    scene.ports.storage.delete_file("k")
    scene.pipelines.seen.clear()
    assert scene.help()
    assert scene.segment.is_done
    assert scene.pipelines.seen == []


@pytest.mark.parametrize("fingerprint_id", ["other", ""], ids=["other models", "no such pipeline"])
def test_a_helper_that_would_compute_something_else_declines(scene: Scene, fingerprint_id: str) -> None:
    scene.pipelines.fingerprint_id = fingerprint_id
    assert not scene.help()
    assert scene.stored == []
    assert scene.segment.claims == 0
    assert scene.protected == 0


@pytest.mark.parametrize(
    "error",
    [PipelineError(), TransientError(), MemoryError(), ValueError(), JobTooLongError(), StoppedError()],
)
def test_whatever_goes_wrong_the_segment_is_left_to_others_at_once(scene: Scene, error: Exception) -> None:
    def fail(frame_index: int) -> None:
        if frame_index == 18:
            raise error

    scene.pipelines.act = fail
    assert not scene.help()
    assert scene.stored == [3]
    assert (scene.segment.lease, scene.segment.is_done) == (None, False)
    assert scene.segment.used.bytes == 5
    assert scene.pipelines.video.open_now == 0
    # AND the job does not know of it
    assert (scene.world.job.failures, scene.world.job.error) == (0, None)


def test_a_deleted_video_is_left_to_the_holder(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def miss(*_: object) -> None:
        raise FileMissingError

    monkeypatch.setattr(type(scene.ports.storage), "load_file", miss)
    assert not scene.help()
    assert (scene.segment.lease, scene.segment.claims) == (None, 1)


def test_a_helper_whose_run_has_ended_writes_no_more(scene: Scene) -> None:
    def end(frame_index: int) -> None:
        if frame_index == 17:
            scene.world.change(fingerprint={"id": "g"})
            scene.heart.beat()

    scene.pipelines.act = end
    job = scene.world.job
    assert not scene.help()
    assert scene.stored == [3]
    assert scene.pipelines.seen[-1] == 17
    (_, segment) = scene.world.help.look(job)
    assert not segment.is_done
    assert segment.lease is not None


def test_a_segment_that_somebody_took_over_is_not_ended(scene: Scene) -> None:
    def lose(frame_index: int) -> None:
        if frame_index == 23:
            scene.world.clock.advance(HELPER.lease.total_seconds())
            assert scene.world.help.take(scene.segment, HOLDER)

    scene.pipelines.act = lose
    assert not scene.help()
    assert (scene.segment.is_done, scene.segment.claims) == (False, 2)


def test_a_table_that_is_away_when_a_segment_is_given_back_does_no_harm(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise TransientError

    def fail(_: int) -> None:
        raise ValueError

    monkeypatch.setattr(type(scene.ports.segments), "give_back", refuse)
    scene.pipelines.act = fail
    assert not scene.help()
    assert scene.segment.lease is not None


# --- when the work must end ---------------------------------------------------------------------------


@pytest.fixture
def calls() -> list[int]:
    return []


def going_on(clock: ManualClock, lost: Event, stop: StopSignal, calls: list[int]) -> GoingOn:
    keep_going = GoingOn(lost, stop, clock, timedelta(seconds=10))
    keep_going.meanwhile = lambda: calls.append(1)
    return keep_going


def test_the_work_goes_on_until_its_time_is_over(calls: list[int]) -> None:
    clock = ManualClock()
    keep_going = going_on(clock, Event(), StopSignal(grace_s=0), calls)
    clock.advance(10)
    keep_going()
    clock.advance(0.001)
    with pytest.raises(JobTooLongError):
        keep_going()
    assert calls == [1]


def test_a_lost_lease_counts_more_than_a_stop(calls: list[int]) -> None:
    lost, stop = Event(), StopSignal(grace_s=0)
    keep_going = going_on(ManualClock(), lost, stop, calls)
    stop.request()
    assert stop._over.wait(5)
    with pytest.raises(StoppedError):
        keep_going()
    lost.set()
    with pytest.raises(LeaseLostError):
        keep_going()
    assert calls == []


def test_frames_of_a_helper_are_those_of_the_video() -> None:
    pipelines = Pipelines()
    request = RunRequest(Path("any"), "numbers", first_part=9, frames_before=36, end_part=10, part_frames=4)
    found = [item.frame_index for item in pipelines.run(request) if isinstance(item, AnalysedFrame)]
    assert found == [36, 37, 38, 39]
