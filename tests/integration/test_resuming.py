"""A job that is taken up again: the same bytes and warnings, whatever happened to which picture when."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from video_jobs.domain.job import JobStatus
from video_jobs.domain.keys import parts_prefix
from video_jobs.domain.sampling import EVERY_PICTURE, Sampling
from video_jobs.domain.video import JobWarning
from video_worker.analysis import AnalysedFrame, PartEnd, RunRequest
from video_worker.dag_runner import Payload
from video_worker.job_worker import Outcome
from video_worker.video import index

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.fixtures.numbered_videos import make_numbered
from tests.support.function_plugin import FunctionPlugin
from tests.support.numbered_video import US_A_PICTURE, NumberedVideo
from tests.support.worker_world import World, fail_once_at, misbehave, on_frame

BY_TIME = {"start_ms": 120, "end_ms": 900, "frames_per_second": 10}
CUT_OFF = JobWarning("file_cut_off", "The file is cut off")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    yield World(tmp_path)
    on_frame().clear()


def submit(world: World, video: NumberedVideo, **chosen: Any) -> None:
    world.open_with(video)
    world.submit(TINY, "misbehave", part_frames=4, **chosen)


def finish(world: World) -> tuple[list[int], list[float], tuple[JobWarning, ...]]:
    """Work until the job is completed; the frames of its results, their times, and its warnings."""
    while world.worker().run_once() is not Outcome.COMPLETED:
        world.clock.advance(60)
    results = json.loads(world.results())
    assert [frame["result"]["bright"] for frame in results["results"]] == indexes(world)
    assert list(world.storage.list_keys(parts_prefix(world.job_id))) == []
    return indexes(world), results["timestamps_ms"], world.job.warnings


def indexes(world: World) -> list[int]:
    return [frame["frame_index"] for frame in json.loads(world.results())["results"]]


@pytest.mark.parametrize(
    ("video", "chosen", "frames", "starts"),
    [
        (NumberedVideo(10, lost={2}), {}, [0, 1, 3, 4, 5, 6, 7, 8, 9], {0, 4, 8}),
        (NumberedVideo(10, lost={3, 4, 9}), {}, [0, 1, 2, 5, 6, 7, 8], {0, 4, 8}),
        (NumberedVideo(13, lost={4, 5, 6, 7}), {}, [0, 1, 2, 3, 8, 9, 10, 11, 12], {0, 8, 12}),
        (NumberedVideo(10, lost={2}), {"max_frames": 5}, [0, 1, 3, 4, 5], {0, 4}),
        (NumberedVideo(10, lost={3}), {"max_frames": 3}, [0, 1, 2], {0}),
        (NumberedVideo(10, lost={3, 4}), {"max_frames": 4}, [0, 1, 2, 5], {0, 4}),
        (NumberedVideo(20, lost={2, 4}), {"frame_stride": 2}, [0, 6, 8, 10, 12, 14, 16, 18], {0, 8, 16}),
        (NumberedVideo(20, lost={2, 4}), {"start_ms": 66.734, "end_ms": 300}, [3, 5, 6, 7, 8], {2, 6}),
        (NumberedVideo(30, lost={4}), BY_TIME, [7, 10, 13, 16, 19, 22, 25], {4, 16}),
        (NumberedVideo(30, lost={4}), BY_TIME | {"max_frames": 3}, [7, 10, 13], {4}),
        (NumberedVideo(10, lost={2}, is_divisible=False), {}, [0, 1, 3, 4, 5, 6, 7, 8, 9], {0}),
        (
            NumberedVideo(8, {2}, {1: (8, 8), 6: (4, 4)}, warnings=(CUT_OFF,)),
            {},
            [0, 1, 3, 4, 5, 6, 7],
            {0, 4},
        ),
    ],
)
def test_a_job_resumed_at_any_frame_ends_as_an_undisturbed_one(
    world: World, video: NumberedVideo, chosen: dict[str, Any], frames: list[int], starts: set[int]
) -> None:
    # GIVEN what an undisturbed job gives
    world.open_with(video)
    world.pipelines.fingerprint("misbehave")
    submit(world, video, **chosen)
    expected = finish(world)
    undisturbed = world.results()
    assert expected[0] == frames
    assert expected[1] == [index * US_A_PICTURE / 1000 for index in frames]
    # WHEN the analysis fails at any frame, and another attempt goes on
    video.started_at.clear()
    for doomed in frames:
        submit(world, video, **chosen)
        fail_once_at(world, doomed)
        # THEN the bytes and the warnings are the same
        assert finish(world) == expected
        assert world.results() == undisturbed
    # AND it went on at the first part that was missing
    assert set(video.started_at) == starts


def test_what_happened_to_pictures_is_told_with_what_the_file_tells(world: World) -> None:
    video = NumberedVideo(12, {2, 9}, {1: (8, 8), 6: (4, 4)}, warnings=(CUT_OFF,))
    submit(world, video)
    fail_once_at(world, 8)
    told = finish(world)[2]
    assert [warning.code for warning in told] == ["file_cut_off", "pictures_lost", "size_changed"]
    assert "2 pictures could not be decoded, the first at frame_index 2" in told[1].message
    assert "4x4, 8x8" in told[2].message


def test_pictures_that_are_not_wanted_are_not_told(world: World) -> None:
    submit(world, NumberedVideo(12, lost={2, 5, 9}), max_frames=6)
    _, _, (warning,) = finish(world)
    assert warning.message.startswith("2 pictures")


@pytest.mark.parametrize(("is_divisible", "stored"), [(True, 2), (False, 0)])
def test_parts_are_stored_if_decoding_can_start_at_them(
    world: World, is_divisible: bool, stored: int
) -> None:
    submit(world, NumberedVideo(12, lost={2}, is_divisible=is_divisible))
    fail_once_at(world, 11)
    assert world.worker().run_once() is Outcome.RETURNED
    assert len(list(world.storage.list_keys(parts_prefix(world.job_id)))) == stored


def test_a_video_whose_pictures_are_all_damaged_fails_at_any_attempt(world: World) -> None:
    submit(world, NumberedVideo(12, lost=range(0, 12, 2)), frame_stride=2)
    assert world.worker().run_once() is Outcome.FAILED
    assert world.error_message.startswith("Unable to read video file")


def test_a_time_after_the_end_of_the_video_fails_the_job_with_its_length(world: World) -> None:
    world.submit(TINY, "count", start_ms=5000.0)
    assert world.worker().run_once() is Outcome.FAILED
    assert world.error_code == "no_frame_chosen"
    assert "it lasts 4000 ms" in world.error_message
    assert world.job.video is not None


def test_an_attempt_ends_while_it_joins_what_an_earlier_one_computed_if_it_must(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN a job with two finished parts, and a storage that gives them so slowly that the time is over
    submit(world, NumberedVideo(12))
    fail_once_at(world, 8)
    assert world.worker().run_once() is Outcome.RETURNED
    load, loaded = world.storage.load_file, list[str]()

    def load_slowly(key: str, *further: Any) -> None:
        load(key, *further)
        if key.startswith("job_parts/"):
            world.clock.advance(world.settings.job_limit_s + 1)
            loaded.append(key)

    monkeypatch.setattr(world.storage, "load_file", load_slowly)
    # WHEN another attempt takes them
    world.clock.advance(60)
    assert world.worker().run_once() is Outcome.FAILED
    # THEN it ends with the first
    assert (world.error_code, len(loaded)) == ("job_too_long", 1)


def test_a_late_part_of_a_deleted_video_is_not_joined_into_the_next_ones_results(
    world: World, tmp_path: Path
) -> None:
    # GIVEN two videos under one idempotency key
    other = tmp_path / "other.mp4"
    other.write_bytes(TINY.read_bytes() + b"\0\0\0\x08free")
    videos = {TINY: NumberedVideo(9, lost={0}), other: NumberedVideo(9, lost={1})}
    by_size = {path.stat().st_size: video for path, video in videos.items()}
    world.open_with(lambda path, *options: by_size[path.stat().st_size](path, *options))

    def submit_again(frame_index: int) -> None:
        if frame_index == 2:
            on_frame().clear()
            owner = world.app.owner
            owner.delete(owner.cancel(owner.job(first, "ann")))
            world.submit(other, "misbehave", part_frames=4, key="one")

    # WHEN the first is deleted, and the second submitted, while a worker is in the first one's first part
    misbehave(world, submit_again)
    world.submit(TINY, "misbehave", part_frames=4, key="one")
    first = world.job_id
    assert world.worker().run_once() is Outcome.LOST
    late = list(world.storage.list_keys(parts_prefix(first)))
    assert len(late) == 2
    # THEN that worker's parts are stored under the same job, and are not in the results
    assert (world.job_id, world.job.status) == (first, JobStatus.PENDING)
    assert finish(world)[0] == [0, 2, 3, 4, 5, 6, 7, 8]


def digest_of_picture(payload: Payload) -> dict[str, str]:
    return {"digest": hashlib.sha256(payload["image"].tobytes()).hexdigest()}


@pytest.mark.parametrize(
    "name",
    [
        *("interlaced_h264_b_frames_tff", "interlaced_h264_fields", "interlaced_edit", "h264_b_pyramid"),
        *("edit_trimmed_start_pyramid", "edit_several", "damaged_pyramid_predicted_noise"),
    ],
)
@pytest.mark.parametrize(
    "sampling",
    [
        EVERY_PICTURE,
        Sampling(stride=2),
        Sampling(start_ms=120.5, end_ms=460),
        Sampling(start_ms=40, frames_per_second=17.5),
    ],
    ids=["every", "stride", "time", "rate"],
)
def test_each_part_of_a_real_video_is_what_it_is_in_an_undisturbed_run(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, sampling: Sampling
) -> None:
    monkeypatch.setattr(index, "SEGMENT_PACKETS", 1)  # else a short video has only one place to start at
    monkeypatch.setattr(FunctionPlugin, "tool", lambda *_: SimpleNamespace(run=digest_of_picture))
    path = make_numbered(name, tmp_path).path

    def parts_from(first_part: int, frames_before: int = 0) -> list[list[AnalysedFrame | PartEnd]]:
        request = RunRequest(path, "count", sampling, None, first_part, frames_before, part_frames=4)
        parts: list[list[AnalysedFrame | PartEnd]] = [[]]
        for item in world.pipelines.run(request):
            parts[-1].append(item)
            if isinstance(item, PartEnd):
                parts.append([])
        return parts[:-1]

    undisturbed = parts_from(0)
    assert len(undisturbed) > 1
    for number in range(1, len(undisturbed)):
        assert parts_from(number, frames_before=1) == undisturbed[number:]
