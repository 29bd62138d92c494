"""Reading videos, whole and broken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from video_jobs.domain.errors import UnreadableVideoError
from video_worker.mp4_container import read_video_track
from video_worker.video_reader import VideoReader

from tests.fixtures.make_tiny_mp4 import FRAMES, PATH, SIZE, draw_frame
from tests.support import videos


def indexes(path: Path, stride: int = 1, first: int = 0) -> list[int]:
    with VideoReader(path) as reader:
        return [index for index, _ in reader.frames(stride, first)]


def test_every_frame_comes_in_order() -> None:
    assert indexes(PATH) == list(range(FRAMES))


def test_a_stride_takes_its_multiples_from_the_first_on() -> None:
    assert indexes(PATH, stride=7) == [0, 7, 14, 21, 28, 35]
    assert indexes(PATH, stride=7, first=14) == [14, 21, 28, 35]


def test_an_index_belongs_to_its_picture(tmp_path: Path) -> None:
    with VideoReader(videos.numbered(tmp_path)) as reader:
        for index, image in reader.frames(stride=4):
            assert abs(float(image.mean()) - 8 * index) < 4


def test_the_pictures_are_those_that_were_drawn() -> None:
    with VideoReader(PATH) as reader:
        for index, image in reader.frames(stride=10):
            assert abs(image.astype(int) - draw_frame(index)).mean() < 4


def test_a_rotated_video_is_upright(tmp_path: Path) -> None:
    with VideoReader(videos.rotated(tmp_path)) as reader:
        _, image = next(reader.frames())
    assert image.shape[:2] == (SIZE[0], SIZE[1])


def test_the_container_tells_codec_and_frames(tmp_path: Path) -> None:
    track = read_video_track(PATH)
    assert (track.codec, track.frames) == ("avc1", FRAMES)
    assert read_video_track(videos.fragmented(tmp_path)).frames is None
    assert indexes(tmp_path / "fragmented.mp4") == list(range(FRAMES))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (videos.truncated_without_moov, "moov"),
        (videos.audio_only, "no video track"),
        (videos.zero_frames, "no video track|not one frame|no index"),
        (videos.header_then_garbage, "moov"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_broken_file_is_refused_with_the_reason(
    tmp_path: Path, make: Callable[[Path], Path], reason: str
) -> None:
    with pytest.raises(UnreadableVideoError, match=f"^Unable to read video file: .*({reason})"):
        indexes(make(tmp_path))


def test_damage_in_the_middle_does_not_end_the_video(tmp_path: Path) -> None:
    path = videos.damaged_in_the_middle(tmp_path)
    with VideoReader(path) as reader:
        found = [index for index, _ in reader.frames()]
        warned = bool(reader.warnings())
    assert found
    assert warned == (len(found) < FRAMES * 0.95 - 1)


def test_an_upload_cut_off_after_its_index_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    with VideoReader(videos.truncated_faststart(tmp_path)) as reader:
        found = [index for index, _ in reader.frames()]
        missing, shortfall = reader.warnings()
    assert found == sorted(set(found))
    assert 0 < len(found) < 20
    assert "cut off" in missing
    assert f"{len(found)} of about 20 frames" in shortfall


def test_a_whole_video_has_no_warnings(tmp_path: Path) -> None:
    for path in (PATH, videos.fragmented(tmp_path), videos.trimmed(tmp_path)):
        with VideoReader(path) as reader:
            assert list(reader.frames())
            assert reader.warnings() == ()
