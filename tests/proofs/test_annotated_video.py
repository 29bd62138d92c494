"""The annotated video has every picture of its source, as it was analysed and at its exact time."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import msgspec
import numpy as np
import pytest
from video_jobs_client import Results, ResultsError
from video_jobs_client.annotate import AnnotationError, SoundError, annotate_video
from video_worker.video.open_video import Image

from tests.fixtures.ffmpeg import run_ffmpeg
from tests.fixtures.numbered_pictures import read_number
from tests.fixtures.numbered_videos import PLANNED, make_numbered
from tests.support.annotated import Analysed, Written, box, nothing
from tests.support.videos import rotated

PREFIXES = (
    *("h264_b_pyramid", "h264_open_gop", "h264_10_bit", "h264_lossless_rgb", "h264_odd_size"),
    *("h264_full_range", "hevc_open_gop", "av1_hidden", "gray_mov", "fragmented_delayed", "cover_first"),
    *("largest_of_two", "enabled_before", "edit_", "uneven_rate", "long_gap", "1_a_second", "ntsc"),
    *("duration_of_all", "one_frame", "turned_", "pixels_", "interlaced_h264", "interlaced_mpeg4_tff"),
    *("interlaced_turned", "interlaced_at_the", "size_changes", "rare_size_changes", "rare_turned"),
    *("rare_pixels", "rare_last_sample", "form_mdat_open_with_sound", "cut_off"),
)
KINDS = [name for name in PLANNED if name.startswith(PREFIXES)]
MEAN_DIFFERENCE = 6
"""Of 255: encoding again loses this much at most."""
FAR, FAR_SHARE = 60, 0.005
"""Share of pixels that may differ by more than `FAR`; pictures of another size may stand a pixel aside."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("numbered")


@pytest.mark.parametrize("kind", KINDS)
def test_every_picture_is_there_as_it_was_analysed_and_at_its_time(
    kind: str, folder: Path, tmp_path: Path
) -> None:
    # GIVEN a video, and what the worker reads from it
    source = make_numbered(kind, folder).path
    analysed = Analysed.of(source)
    width, height = analysed.video.width, analysed.video.height
    # WHEN it is annotated
    annotate_video(source, analysed.results(nothing), tmp_path / "annotated.mp4")
    # THEN its pictures have the same time in the movie, within the rounding of a microsecond
    written = Written.of(tmp_path / "annotated.mp4")
    first_us = round(analysed.video.first_picture_ms * 1000)
    expected = [first_us + round(picture.timestamp_ms * 1000) for picture in analysed.pictures]
    assert len(written.ticks) == len(expected)
    assert max(abs(one - other) for one, other in zip(written.times_us(), expected, strict=True)) <= 1
    # AND they are the same pictures: upright, with square pixels, deinterlaced, at most one pixel larger
    assert written.size == (width + width % 2, height + height % 2)
    assert len(expected) >= 1
    for image, picture in zip(written.images, analysed.pictures, strict=True):
        assert picture.image is not None
        inner = image[:height, :width]
        assert read_number(inner) == read_number(picture.image)
        assert difference(inner, picture.image) < MEAN_DIFFERENCE
        assert far_share(inner, picture.image) < (0.03 if "size_changes" in kind else FAR_SHARE)


def far_share(one: Image, other: Image) -> float:
    return float((np.abs(one.astype(int) - other.astype(int)).max(axis=2) > FAR).mean())


def difference(one: Image, other: Image) -> float:
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


@pytest.fixture(scope="module")
def uneven(folder: Path) -> Path:
    """Pictures at uneven times that begin 0.1001 s after the sound, and two sounds."""
    path = folder / "uneven_with_sound.mp4"
    times = "setpts='(N+floor(N/2))*1001/30000/TB+0.1001/TB'"
    run_ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=size=322x180:rate=30000/1001:duration=1"),
        *("-f", "lavfi", "-i", "sine=duration=1.7:sample_rate=44100"),
        *("-f", "lavfi", "-i", "anullsrc=r=48000:duration=1"),
        *("-map", "0:v", "-map", "1:a", "-map", "2:a", "-vf", times, "-fps_mode", "passthrough"),
        *("-enc_time_base", "1/30000", "-video_track_timescale", "30000", "-c:v", "libx264", "-c:a", "aac"),
        str(path),
    )
    return path


def packets_of(path: Path, kind: str) -> list[list[tuple[int | None, bytes]]]:
    with av.open(str(path)) as container:
        tracks = [track for track in container.streams if track.type == kind]
        found: dict[int, list[tuple[int | None, bytes]]] = {track.index: [] for track in tracks}
        for packet in container.demux(tracks):
            if packet.size:
                found[packet.stream.index].append((packet.pts, bytes(packet)))
    return list(found.values())


def test_times_are_equal_to_the_tick_and_the_sound_is_copied(uneven: Path, tmp_path: Path) -> None:
    target = tmp_path / "annotated.mp4"
    annotate_video(uneven, Analysed.of(uneven).results(nothing), target)
    before, after = Written.of(uneven), Written.of(target)
    assert after.time_base == before.time_base
    assert after.ticks == before.ticks
    assert before.ticks[0] > 0
    assert len({later - earlier for earlier, later in pairwise(before.ticks)}) > 2
    assert packets_of(target, "audio") == packets_of(uneven, "audio")
    assert len(packets_of(target, "audio")) == 2
    with av.open(str(uneven)) as one, av.open(str(target)) as other:
        assert one.streams.video[0].duration == other.streams.video[0].duration


def test_the_same_results_give_the_same_bytes(uneven: Path, tmp_path: Path) -> None:
    analysed = Analysed.of(uneven)
    for name in ("one.mp4", "other.mp4"):
        annotate_video(uneven, analysed.results(lambda index: box((index, 5, 90, 80))), tmp_path / name)
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "other.mp4").read_bytes()


@pytest.fixture
def fill_memory() -> Iterator[Callable[[int], None]]:
    """Has memory that is asked for hold a byte from 0 to 254, also large blocks, which are zero otherwise."""
    glibc, perturb, from_mmap = ctypes.CDLL(None), -6, -3
    assert glibc.mallopt(from_mmap, 32 * 2**20) == 1
    yield lambda byte: glibc.mallopt(perturb, byte ^ 255)
    glibc.mallopt(perturb, 0)


def test_the_bytes_do_not_depend_on_what_was_in_memory(
    uneven: Path, tmp_path: Path, fill_memory: Callable[[int], None]
) -> None:
    # GIVEN rows of 21 macroblocks: x264's code for AVX-512 takes eight at a time
    analysed = Analysed.of(uneven)
    written = set()
    for byte in (0, 1, 127, 254):
        fill_memory(byte)
        annotate_video(uneven, analysed.results(nothing), tmp_path / "annotated.mp4")
        written.add((tmp_path / "annotated.mp4").read_bytes())
    assert len(written) == 1


def test_the_sound_can_be_left_out(uneven: Path, tmp_path: Path) -> None:
    target = tmp_path / "annotated.mp4"
    annotate_video(uneven, Analysed.of(uneven).results(nothing), target, has_sound=False)
    with av.open(str(target)) as container:
        assert [track.type for track in container.streams] == ["video"]
    assert Written.of(target).ticks == Written.of(uneven).ticks


# --- what is drawn ---------------------------------------------------------------------------------

TINY_BOX = (100.0, 60.0, 160.0, 220.0)
"""In the pixels of the picture as it is shown."""


def drawn_part(image: Image, plain: Image) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what differs clearly."""
    rows, columns = np.nonzero(np.abs(image.astype(int) - plain.astype(int)).max(axis=2) > 60)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_box_is_drawn_where_it_was_found_on_the_upright_picture(degrees: int, tmp_path: Path) -> None:
    source = rotated(tmp_path, degrees)
    analysed = Analysed.of(source)
    annotate_video(source, analysed.results(lambda _: box(TINY_BOX)), tmp_path / "boxed.mp4")
    annotate_video(source, analysed.results(nothing), tmp_path / "plain.mp4")
    boxed, plain = Written.of(tmp_path / "boxed.mp4"), Written.of(tmp_path / "plain.mp4")
    left, top, right, bottom = drawn_part(boxed.images[0], plain.images[0])
    # the label stands on the box, and may be wider
    assert (left, bottom) == pytest.approx((100, 220), abs=2)
    assert 60 - 24 <= top < 60 - 8
    assert 160 - 2 <= right < 220


def boxed_pictures(written: Written, plain: Written) -> list[int]:
    both = zip(written.images, plain.images, strict=True)
    edge = (slice(30, 150), slice(20, 22))
    return [number for number, (one, other) in enumerate(both) if difference(one[edge], other[edge]) > 30]


@pytest.mark.parametrize("has_times", [True, False])
def test_pictures_between_analysed_ones_keep_the_last_result(
    uneven: Path, tmp_path: Path, has_times: bool
) -> None:
    # GIVEN results of pictures 0, 6, 12, 18, 24, of which 6 and 24 have a box
    analysed = Analysed.of(uneven)
    results = analysed.results(
        lambda index: box((20, 20, 300, 160)) if index in (6, 24) else {}, stride=6, has_times=has_times
    )
    # WHEN the video is annotated
    annotate_video(uneven, results, tmp_path / "boxed.mp4")
    annotate_video(uneven, analysed.results(nothing), tmp_path / "plain.mp4")
    # THEN the box stays until the next result, and after the last one as long as a step
    boxed, plain = Written.of(tmp_path / "boxed.mp4"), Written.of(tmp_path / "plain.mp4")
    assert boxed_pictures(boxed, plain) == [*range(6, 12), *range(24, 30)]


# --- what is refused -------------------------------------------------------------------------------


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Path]:
    """A target that must stay as it is, with nothing beside it."""
    folder = tmp_path / "kept"
    folder.mkdir()
    (folder / "annotated.mp4").write_bytes(b"of yesterday")
    yield folder / "annotated.mp4"
    assert [(path.name, path.read_bytes()) for path in folder.iterdir()] == [
        ("annotated.mp4", b"of yesterday")
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"width": 100}, "another video: they have 100x180 pixels"),
        ({"width": 300, "height": 160}, "have 322x180"),
        ({"rotation": 90}, "322x180 pixels after a turn by 90 degrees"),
        ({"first_picture_ms": 99.0}, "no picture at any of their times"),
    ],
)
def test_results_of_another_video_are_refused(
    change: dict[str, Any], words: str, uneven: Path, kept: Path
) -> None:
    analysed = Analysed.of(uneven)
    analysed = replace(analysed, video=msgspec.structs.replace(analysed.video, **change))
    with pytest.raises(AnnotationError, match=words):
        annotate_video(uneven, analysed.results(nothing), kept)


def test_results_without_the_facts_of_the_video_are_refused(uneven: Path, kept: Path) -> None:
    with pytest.raises(ResultsError, match="pass the video"):
        annotate_video(uneven, Results([]), kept)


@pytest.mark.parametrize("kind", ["rare_same_time_twice", "rare_offsets_missing"])
def test_a_video_whose_pictures_have_no_times_of_their_own_is_refused(
    kind: str, folder: Path, kept: Path
) -> None:
    source = make_numbered(kind, folder).path
    with pytest.raises(AnnotationError, match="no times of their own"):
        annotate_video(source, Analysed.of(source).results(nothing), kept)


def test_a_sound_that_mp4_cannot_hold_is_refused_by_name(tmp_path: Path, kept: Path) -> None:
    source = tmp_path / "camera.mov"
    video = ("-f", "lavfi", "-i", "testsrc2=size=160x120:rate=10:duration=1")
    sound = ("-f", "lavfi", "-i", "sine=duration=1")
    run_ffmpeg(*video, *sound, "-c:v", "libx264", "-c:a", "adpcm_ima_qt", str(source))
    analysed = Analysed.of(source)
    with pytest.raises(SoundError, match=r"sound of this video \(adpcm_ima_qt\)"):
        annotate_video(source, analysed.results(nothing), kept)
    annotate_video(source, analysed.results(nothing), tmp_path / "silent.mp4", has_sound=False)
    assert len(Written.of(tmp_path / "silent.mp4").ticks) == 10


@pytest.mark.parametrize("content", [b"", b"no video at all"], ids=["empty", "text"])
def test_what_is_no_video_is_refused(content: bytes, uneven: Path, tmp_path: Path, kept: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(content)
    with pytest.raises(AnnotationError, match="not a video of the MP4 family"):
        annotate_video(tmp_path / "clip.mp4", Analysed.of(uneven).results(nothing), kept)


@pytest.mark.parametrize("name", ["12:30:00.mp4", "concat:clip.mp4", "-clip.mp4"])
def test_a_name_may_look_like_an_address(
    name: str, uneven: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(uneven.read_bytes())
    annotate_video(name, Analysed.of(uneven).results(nothing), f"12:{name}")
    assert Path(f"12:{name}").stat().st_size > 0


@pytest.mark.parametrize("error", [av.InvalidDataError, av.ProtocolNotFoundError, av.BSFNotFoundError])
def test_what_ffmpeg_cannot_open_is_told(
    error: type[av.FFmpegError], uneven: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = Analysed.of(uneven).results(nothing)

    def refuse(*_: Any, **__: Any) -> None:
        raise error(1, "No")

    monkeypatch.setattr(av, "open", refuse)
    with pytest.raises(AnnotationError, match="is not a video of the MP4 family"):
        annotate_video(uneven, results, kept)


def test_damage_leaves_pictures_out_and_the_rest_in_place(folder: Path, tmp_path: Path) -> None:
    source = make_numbered("damaged_plain_key_noise", folder).path
    analysed = Analysed.of(source)
    annotate_video(source, analysed.results(nothing), tmp_path / "annotated.mp4")
    times = {round(picture.timestamp_ms * 1000) for picture in analysed.pictures}
    assert len(times) < 24
    assert times & set(Written.of(tmp_path / "annotated.mp4").times_us())
