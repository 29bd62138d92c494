"""Strange and broken videos, by the reader alone: what is left of them has its true index and time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from video_jobs.domain.errors import ResourceLimitError, UnreadableVideoError
from video_worker.video import index

from tests.fixtures.make_bad_media import FAILED, PARTLY, WHOLE, BadVideo, make_corpus
from tests.fixtures.numbered_pictures import read_number
from tests.support.readings import Reading, check_starts, read_video_file
from tests.support.shown_by_ffmpeg import shown_by_ffmpeg

MAX_PIXELS = 3840 * 2160
STARTS = 12
ROUNDED = ("h264_10_bit", "interlaced", "lying_width_huge")
"""Kinds that are scaled, or that two versions of ffmpeg round differently."""
MEAN_DIFFERENCE = 1.5


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> list[BadVideo]:
    return make_corpus(tmp_path_factory.mktemp("broken"))


@pytest.fixture(scope="module")
def readings(corpus: list[BadVideo]) -> dict[str, Reading | str]:
    """What was read of each file, or why it was refused."""
    return {video.name: reading_of(video.path) for video in corpus}


def reading_of(path: Path) -> Reading | str:
    try:
        return read_video_file(path, MAX_PIXELS)
    except (UnreadableVideoError, ResourceLimitError) as refusal:
        return str(refusal)


def test_each_file_is_read_or_refused_as_expected(
    corpus: list[BadVideo], readings: dict[str, Reading | str]
) -> None:
    for video in corpus:
        reading = readings[video.name]
        if isinstance(reading, str):
            assert video.end not in (WHOLE, PARTLY), (video.name, reading)
            assert reading.startswith(("Unable to read video file: ", "The frames have ")), video.name
        else:
            assert video.end != FAILED, video.name
            assert video.frames in (None, len(reading.pictures)), video.name


def test_each_picture_keeps_its_index_and_times_never_go_back(readings: dict[str, Reading | str]) -> None:
    for name, reading in readings.items():
        if isinstance(reading, Reading):
            assert [picture.index for picture in reading.pictures] == list(range(len(reading.pictures)))
            assert reading.facts.frame_count in (None, len(reading.pictures)), name
            times = [picture.time_us for picture in reading.pictures]
            assert times[0] == 0, name
            assert times == sorted(times), name


def test_a_whole_file_shows_its_numbers_at_the_times_and_with_the_pixels_of_ffmpeg(
    corpus: list[BadVideo], readings: dict[str, Reading | str]
) -> None:
    for video in corpus:
        reading = readings[video.name]
        if video.end != WHOLE or not isinstance(reading, Reading):
            continue
        facts, pictures = reading.facts, reading.pictures
        if video.first_number is not None:
            numbers = [None if p.image is None else read_number(p.image) for p in pictures]
            assert numbers == [video.first_number + p.index for p in pictures], video.name
        shown = shown_by_ffmpeg(
            video.path,
            (facts.width, facts.height),
            picture_filter="bwdif=send_frame:auto:interlaced" if facts.interlaced else None,
        )
        assert [p.time_us for p in pictures] == [p.time_us for p in shown], video.name
        allowed = MEAN_DIFFERENCE if video.name.startswith(ROUNDED) else 0
        for ours, theirs in zip(pictures, shown, strict=True):
            assert ours.image is not None
            difference = np.abs(ours.image.astype(np.int16) - theirs.image).mean()
            assert difference <= allowed, (video.name, ours.index)


def test_a_picture_is_the_same_wherever_reading_starts(
    corpus: list[BadVideo], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "SEGMENT_PACKETS", 1)  # else a short video has only one place to start at
    checked = 0
    for video in corpus:
        reading = reading_of(video.path)
        if isinstance(reading, Reading):
            check_starts(video.path, reading.prints(), STARTS)
            checked += 1
    assert checked > len(corpus) / 3
