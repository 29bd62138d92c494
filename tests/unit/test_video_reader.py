"""Reading videos, whole and broken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from video_jobs.domain.errors import ResourceLimitError, UnreadableVideoError
from video_worker.mp4_container import VideoTrack, read_video_track
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


def test_the_pictures_are_those_that_were_drawn() -> None:
    with VideoReader(PATH) as reader:
        for index, image in reader.frames(stride=10):
            assert abs(image.astype(int) - draw_frame(index)).mean() < 4


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_rotated_video_is_upright(tmp_path: Path, degrees: int) -> None:
    with VideoReader(PATH) as reader:
        _, stored = next(reader.frames())
    with VideoReader(videos.rotated(tmp_path, degrees)) as reader:
        _, image = next(reader.frames())
    seen = np.rot90(stored, degrees // 90)  # the display matrix turns counterclockwise
    assert image.shape == seen.shape
    assert float(np.abs(image.astype(int) - seen).mean()) < 1


@pytest.mark.parametrize("stride", [1, 3, 4])
def test_a_variable_frame_rate_keeps_exact_indexes(tmp_path: Path, stride: int) -> None:
    path = videos.variable_frame_rate(tmp_path)
    with VideoReader(path) as reader:
        found = {index: float(image.mean()) for index, image in reader.frames(stride)}
        assert reader.warnings() == ()
    assert list(found) == list(range(0, 30, stride))
    assert all(abs(brightness - 8 * index) < 4 for index, brightness in found.items())


def test_an_edit_list_counts_what_a_viewer_sees(tmp_path: Path) -> None:
    path = videos.trimmed(tmp_path)
    seen = indexes(path)
    assert seen == list(range(len(seen)))
    assert 0 < len(seen) < FRAMES
    track = read_video_track(path)
    assert track.is_trimmed
    assert track.duration_s is not None
    assert abs(track.duration_s - len(seen) / 10) < 0.5


def test_a_fragmented_video_without_its_end_is_told_by_its_duration(tmp_path: Path) -> None:
    """The index of a fragmented file has no frame count, but may have a duration."""
    whole = videos.fragmented(tmp_path).read_bytes()
    at = whole.index(b"tkhd") + 24
    movie_scale = int.from_bytes(whole[whole.index(b"mvhd") + 16 :][:4], "big")
    media_at = whole.index(b"mdhd") + 20
    told = whole[:at] + (60 * movie_scale).to_bytes(4, "big") + whole[at + 4 :]
    told = told[:media_at] + (1).to_bytes(4, "big") + told[media_at + 4 :]
    (tmp_path / "told.mp4").write_bytes(told)
    with VideoReader(tmp_path / "told.mp4") as reader:
        assert len(list(reader.frames())) == FRAMES
        (warning,) = reader.warnings()
    assert f"{FRAMES} frames decoded" in warning
    assert "of 60.0 s" in warning


@pytest.mark.parametrize("max_pixels", [640 * 360, 640 * 360 - 1])
def test_frames_may_not_be_too_large(max_pixels: int) -> None:
    if max_pixels == SIZE[0] * SIZE[1]:
        VideoReader(PATH, max_pixels)
        return
    with pytest.raises(ResourceLimitError, match="640x360 pixels"):
        VideoReader(PATH, max_pixels)


@pytest.mark.parametrize("box", [b"mvhd", b"tkhd", b"mdhd", b"hdlr", b"stsd", b"stsz"])
def test_an_empty_box_in_the_index_is_survived(tmp_path: Path, box: bytes) -> None:
    content = bytearray(PATH.read_bytes())
    at = content.index(box, content.index(b"moov")) - 4
    size = int.from_bytes(content[at : at + 4], "big")
    content[at : at + 16] = (8).to_bytes(4, "big") + box + (size - 8).to_bytes(4, "big") + b"free"
    path = tmp_path / "empty_box.mp4"
    path.write_bytes(content)
    if box == b"hdlr":
        with pytest.raises(UnreadableVideoError, match="no video track"):
            read_video_track(path)
    else:
        assert isinstance(read_video_track(path), VideoTrack)


def test_a_damaged_index_is_read_or_refused_and_nothing_else(tmp_path: Path) -> None:
    content = PATH.read_bytes()
    at = content.index(b"moov") - 4
    index, rest = content[at:], content[:at]
    path = tmp_path / "damaged.mp4"
    outcomes: set[type] = set()
    for seed in range(400):
        random = np.random.default_rng(seed)
        broken = bytearray(index[: int(random.integers(8, len(index)))] if seed % 3 == 0 else index)
        for place in random.integers(8, len(broken), size=int(random.integers(1, 30))):
            broken[place] = int(random.integers(256))
        broken[:4] = len(broken).to_bytes(4, "big")
        path.write_bytes(rest + bytes(broken))
        try:
            outcomes.add(type(read_video_track(path)))
        except UnreadableVideoError as error:
            outcomes.add(type(error))
    assert outcomes == {VideoTrack, UnreadableVideoError}


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
