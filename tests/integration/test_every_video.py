"""Every kind of video that people have: each picture has its own number, its exact time, and ffmpeg's pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from video_jobs.domain.errors import UnreadableVideoError
from video_worker.video.video_reader import VideoReader

from tests.fixtures.numbered_pictures import read_number, unfitted
from tests.fixtures.numbered_videos import PLANNED, NumberedVideo, make_numbered
from tests.support.readings import Reading, read_from, read_video_file
from tests.support.shown_by_ffmpeg import shown_by_ffmpeg

MEAN_DIFFERENCE = 1.5
"""Of a colour value of 255, between our picture and ffmpeg's: conversion to BGR and scaling round differently."""
FAR_PIXELS = 0.01
"""Share of colour values that may differ by more than `FAR`: at sharp edges, scaling has a freedom."""
FAR = 24
STARTS = 12

REFUSED = [name for name in PLANNED if name.startswith("encrypted")]
DAMAGED = [name for name in PLANNED if name.startswith(("damaged", "cut_off"))]
READ = [name for name in PLANNED if name not in REFUSED]
WHOLE = [name for name in READ if name not in DAMAGED]
OWN_RULE = ("hdr", "size_changes", "interlaced_turned")
"""Kinds for which the project has a rule that ffmpeg does not have."""
COMPARED = [name for name in WHOLE if not name.startswith(OWN_RULE)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("numbered")


@pytest.fixture(scope="module")
def video(request: pytest.FixtureRequest, folder: Path) -> NumberedVideo:
    return make_numbered(request.param, folder)


@pytest.fixture(scope="module")
def reading(video: NumberedVideo) -> Reading:
    """The whole video, read once for all tests of it."""
    return read_video_file(video.path)


of_read = pytest.mark.parametrize("video", READ, indirect=True, scope="module")
of_whole = pytest.mark.parametrize("video", WHOLE, indirect=True, scope="module")
of_compared = pytest.mark.parametrize("video", COMPARED, indirect=True, scope="module")
of_damaged = pytest.mark.parametrize("video", DAMAGED, indirect=True, scope="module")
of_refused = pytest.mark.parametrize("video", REFUSED, indirect=True, scope="module")


@of_read
def test_each_picture_shows_its_number(video: NumberedVideo, reading: Reading) -> None:
    pictures = reading.pictures
    assert [picture.index for picture in pictures] == list(range(len(video.numbers)))
    shown = [
        None if picture.image is None else read_number(unfitted(picture.image, picture.stored_size or video.size))
        for picture in pictures
    ]
    wrong = {index: number for index, number in enumerate(shown) if number != video.numbers[index]}
    assert set(wrong) <= video.damaged, wrong


@of_read
def test_each_picture_has_the_size_that_is_told(video: NumberedVideo, reading: Reading) -> None:
    sizes = {picture.image.shape for picture in reading.pictures if picture.image is not None}
    assert sizes == {(video.size[1], video.size[0], 3)}
    assert {p.index: p.stored_size for p in reading.pictures if p.stored_size} == video.stored_sizes


@of_whole
def test_the_times_are_those_of_ffmpeg(video: NumberedVideo, reading: Reading) -> None:
    shown = shown_by_ffmpeg(video.path, (32, 16), video.track)
    assert [picture.time_us for picture in reading.pictures] == [picture.time_us for picture in shown]
    assert reading.facts.first_picture_ms == shown[0].movie_time_us / 1000


@of_damaged
def test_a_damaged_picture_keeps_its_index_and_its_time(video: NumberedVideo, reading: Reading) -> None:
    times = [picture.time_us for picture in reading.pictures]
    assert times == [40_000 * number for number in video.numbers]


@of_compared
def test_the_pictures_are_those_of_ffmpeg(video: NumberedVideo, reading: Reading) -> None:
    shown = shown_by_ffmpeg(video.path, video.size, video.track, video.picture_filter)
    for ours, theirs in zip(reading.pictures, shown, strict=True):
        assert ours.image is not None
        differences = np.abs(ours.image.astype(np.int16) - theirs.image)
        assert differences.mean() < MEAN_DIFFERENCE, ours.index
        assert (differences > FAR).mean() < FAR_PIXELS, ours.index


@of_read
def test_the_facts_are_right(video: NumberedVideo, reading: Reading) -> None:
    facts = reading.facts
    assert (facts.width, facts.height) == video.size
    assert (facts.rotation, facts.mirrored) == (video.rotation, video.mirrored)
    assert (facts.interlaced, facts.hdr) == (video.interlaced, video.hdr)
    assert facts.variable_frame_rate == video.variable_frame_rate
    assert facts.frame_count == len(video.numbers)
    assert video.container in (None, facts.container)
    assert video.codec in (None, facts.codec)


@of_read
def test_the_rate_is_that_of_the_pictures(video: NumberedVideo, reading: Reading) -> None:
    facts, last_ms = reading.facts, reading.pictures[-1].timestamp_ms
    assert facts.duration_ms is not None
    assert facts.duration_ms >= last_ms
    if len(reading.pictures) == 1:
        assert facts.average_frame_rate is None
    else:
        assert facts.average_frame_rate == pytest.approx(len(video.numbers) * 1000 / facts.duration_ms, rel=1e-3)


@of_read
def test_warnings_are_true(video: NumberedVideo, reading: Reading) -> None:
    assert {warning.code for warning in reading.warnings} == video.warnings


@of_read
def test_a_picture_is_the_same_wherever_reading_starts(video: NumberedVideo, reading: Reading) -> None:
    random = np.random.default_rng(len(video.name))
    whole = reading.prints()
    for first in random.integers(0, len(whole), STARTS):
        stride = int(random.choice((1, 1, 2, 3, 5)))
        expected = [entry for entry in whole if entry.index >= first and entry.index % stride == 0]
        some = int(random.choice((3, 8, len(whole))))
        assert read_from(video.path, int(first), stride, some) == expected[:some], (first, stride)


@of_refused
def test_an_encrypted_video_is_refused_by_name(video: NumberedVideo) -> None:
    with pytest.raises(UnreadableVideoError, match=r"^Unable to read video file: .*encrypted.*; "):
        VideoReader(video.path)
