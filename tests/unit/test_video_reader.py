"""Reading videos, whole and broken; tests/integration/test_every_video.py has every kind of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from video_jobs.domain.errors import NoFrameChosenError, ResourceLimitError, UnreadableVideoError
from video_jobs.domain.sampling import Sampling
from video_jobs.domain.video import WarningCode
from video_worker.video.boxes import FileBoxes, read_boxes
from video_worker.video.file_view import VideoFile
from video_worker.video.video_reader import VideoReader

from tests.fixtures.ffmpeg import run_ffmpeg
from tests.fixtures.make_tiny_mp4 import FRAMES, PATH, SIZE, draw_frame
from tests.support import videos
from tests.support.videos import images_of


def indexes(path: Path, first: int = 0, **sampling: Any) -> list[int]:
    with VideoReader(path, sampling=Sampling(**sampling)) as reader:
        return [picture.index for picture in reader.frames(first) if picture.image is not None]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"start_ms": 300, "end_ms": 600}, [3, 4, 5]),
        ({"start_ms": 3800, "end_ms": 1e12}, [38, 39]),
        ({"start_ms": 850, "end_ms": 2000, "frames_per_second": 2.5}, [9, 13, 17]),
        ({"frames_per_second": 0.1}, [0]),
        ({"stride": 13, "start_ms": 1}, [13, 26, 39]),
    ],
)
def test_pictures_are_chosen_by_time(chosen: dict[str, Any], expected: list[int]) -> None:
    assert indexes(PATH, **chosen) == expected
    assert indexes(PATH, first=2, **chosen) == expected[2:]
    with VideoReader(PATH, sampling=Sampling(**chosen)) as reader:
        assert reader.candidates == len(expected)


@pytest.mark.parametrize("chosen", [{"start_ms": 4000.0}, {"start_ms": 310.0, "end_ms": 390.0}])
def test_a_time_without_a_picture_is_told_with_the_length_of_the_video(
    tmp_path: Path, chosen: dict[str, Any]
) -> None:
    with pytest.raises(NoFrameChosenError, match=r"it lasts 4000 ms, .*start_ms and end_ms"):
        indexes(PATH, **chosen)
    assert indexes(PATH, first=1, **chosen) == []
    with pytest.raises(NoFrameChosenError, match="it lasts at least 4500 ms"):
        indexes(videos.ambiguous_times(tmp_path), start_ms=4600)


def codes(path: Path) -> list[str]:
    with VideoReader(path) as reader:
        return [warning.code for warning in reader.warnings]


def test_every_frame_comes_in_order() -> None:
    assert indexes(PATH) == list(range(FRAMES))


def test_a_stride_takes_its_multiples_from_any_of_them_on() -> None:
    assert indexes(PATH, stride=7) == [0, 7, 14, 21, 28, 35]
    assert indexes(PATH, stride=7, first=2) == [14, 21, 28, 35]
    assert indexes(PATH, stride=7, first=6) == []


def test_reading_ends_before_a_candidate() -> None:
    with VideoReader(PATH, sampling=Sampling(stride=3)) as reader:
        assert [picture.index for picture in reader.frames(2, 5)] == [6, 9, 12]


def test_the_pictures_are_those_that_were_drawn() -> None:
    for index, image in enumerate(images_of(PATH)):
        assert abs(image.astype(int) - draw_frame(index)).mean() < 4


def test_the_facts_of_an_ordinary_video() -> None:
    with VideoReader(PATH) as reader:
        facts = reader.facts
        assert reader.is_divisible
        assert reader.warnings == ()
    assert (facts.container, facts.codec, (facts.width, facts.height)) == ("mp4", "h264", SIZE)
    assert (facts.frame_count, facts.duration_ms, facts.average_frame_rate) == (FRAMES, 4000.0, 10.0)
    assert (facts.rotation, facts.mirrored, facts.interlaced, facts.hdr) == (0, False, False, None)
    assert not facts.variable_frame_rate
    assert facts.first_picture_ms == 0


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_rotated_video_is_upright(tmp_path: Path, degrees: int) -> None:
    stored = images_of(PATH)[0]
    path = videos.rotated(tmp_path, degrees)
    with VideoReader(path) as reader:
        assert (reader.facts.rotation, reader.facts.mirrored) == (360 - degrees, False)
    seen = np.rot90(stored, degrees // 90)  # the display matrix turns counterclockwise
    assert np.array_equal(images_of(path)[0], seen)


def test_a_mirrored_video_is_shown_as_a_player_shows_it(tmp_path: Path) -> None:
    path = tmp_path / "mirrored.mp4"
    run_ffmpeg("-display_rotation", "0", "-display_hflip", "-i", str(PATH), "-c", "copy", str(path))
    with VideoReader(path) as reader:
        assert (reader.facts.rotation, reader.facts.mirrored) == (0, True)
    assert np.array_equal(images_of(path)[0], images_of(PATH)[0][:, ::-1])


@pytest.mark.parametrize("stride", [1, 3, 4])
def test_a_variable_frame_rate_keeps_exact_indexes_and_times(tmp_path: Path, stride: int) -> None:
    path = videos.variable_frame_rate(tmp_path)
    with VideoReader(path, sampling=Sampling(stride=stride)) as reader:
        assert reader.facts.variable_frame_rate
        found = list(reader.frames())
    assert [picture.index for picture in found] == list(range(0, 30, stride))
    for picture in found:
        number = picture.index
        assert picture.image is not None
        assert abs(float(picture.image.mean()) - 8 * number) < 4
        assert picture.timestamp_ms == (number + number // 2) * 100


@pytest.mark.parametrize(("stride", "first"), [(1, 0), (3, 0), (3, 2), (1, 11)])
def test_pictures_whose_times_are_ambiguous_are_counted(tmp_path: Path, stride: int, first: int) -> None:
    path = videos.ambiguous_times(tmp_path)
    with VideoReader(path, sampling=Sampling(stride=stride)) as reader:
        assert not reader.is_divisible
        assert (reader.facts.frame_count, reader.facts.duration_ms, reader.candidates) == (None, None, None)
        found = list(reader.frames(first))
    assert [picture.index for picture in found] == list(range(first * stride, 30, stride))
    for picture in found:
        assert picture.image is not None
        assert abs(float(picture.image.mean()) - 8 * picture.index) < 4


def test_an_edit_list_counts_what_a_viewer_sees(tmp_path: Path) -> None:
    path = videos.trimmed(tmp_path)
    seen = indexes(path)
    assert seen == list(range(len(seen)))
    assert 0 < len(seen) < FRAMES
    assert codes(path) == []


def test_durations_that_are_not_true_are_no_reason_to_warn(tmp_path: Path) -> None:
    content = bytearray(PATH.read_bytes())
    for box, at, size in ((b"mvhd", 16, 4), (b"tkhd", 24, 4), (b"mdhd", 20, 4)):
        start = content.index(box) + at
        content[start : start + size] = b"\xff" * size
    path = tmp_path / "endless.mp4"
    path.write_bytes(content)
    assert indexes(path) == list(range(FRAMES))
    assert codes(path) == []


@pytest.mark.parametrize("max_pixels", [640 * 360, 640 * 360 - 1])
def test_frames_may_not_be_too_large(max_pixels: int) -> None:
    if max_pixels == SIZE[0] * SIZE[1]:
        with VideoReader(PATH, max_pixels):
            return
    with pytest.raises(ResourceLimitError, match="640x360 pixels"):
        VideoReader(PATH, max_pixels)


def boxes_of(path: Path) -> FileBoxes:
    with path.open("rb") as file:
        return read_boxes(VideoFile(file.fileno()))


@pytest.mark.parametrize("box", [b"mvhd", b"tkhd", b"mdhd", b"hdlr", b"stsd", b"stsz", b"minf"])
def test_an_empty_box_in_the_index_is_survived(tmp_path: Path, box: bytes) -> None:
    content = bytearray(PATH.read_bytes())
    at = content.index(box, content.index(b"moov")) - 4
    size = int.from_bytes(content[at : at + 4], "big")
    content[at : at + 16] = (8).to_bytes(4, "big") + box + (size - 8).to_bytes(4, "big") + b"free"
    path = tmp_path / "empty_box.mp4"
    path.write_bytes(content)
    assert len(boxes_of(path).tracks) == 1


def test_a_damaged_index_is_read_or_refused_and_nothing_else(tmp_path: Path) -> None:
    content = PATH.read_bytes()
    at = content.index(b"moov") - 4
    index, rest = content[at:], content[:at]
    path = tmp_path / "damaged.mp4"
    outcomes: set[type] = set()
    for seed in range(200):
        random = np.random.default_rng(seed)
        broken = bytearray(index[: int(random.integers(8, len(index)))] if seed % 3 == 0 else index)
        for place in random.integers(8, len(broken), size=int(random.integers(1, 30))):
            broken[place] = int(random.integers(256))
        broken[:4] = len(broken).to_bytes(4, "big")
        path.write_bytes(rest + bytes(broken))
        try:
            with VideoReader(path, 1 << 24) as reader:
                outcomes.add(type(next(reader.frames(), reader)))
        except (UnreadableVideoError, ResourceLimitError) as error:
            outcomes.add(type(error))
    assert UnreadableVideoError in outcomes
    assert len(outcomes) > 1


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (videos.truncated_without_moov, "moov"),
        (videos.audio_only, "no video track"),
        (videos.zero_frames, "no video track|names no pictures|no index"),
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
    found = indexes(videos.damaged_in_the_middle(tmp_path))
    assert found[0] == 0
    assert found[-1] == FRAMES - 1


def test_an_upload_cut_off_after_its_index_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = videos.truncated_faststart(tmp_path)
    found = indexes(path)
    assert found == sorted(set(found))
    assert 0 < len(found) < 20
    assert codes(path) == [WarningCode.FILE_CUT_OFF]


def test_a_whole_video_has_no_warnings(tmp_path: Path) -> None:
    for path in (PATH, videos.fragmented(tmp_path), videos.trimmed(tmp_path)):
        assert indexes(path)
        assert codes(path) == []


def test_a_file_is_closed_whether_it_can_be_read_or_not(tmp_path: Path) -> None:
    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = open_files()
    assert images_of(PATH)
    with pytest.raises(UnreadableVideoError):
        indexes(videos.header_then_garbage(tmp_path))
    assert open_files() == before
