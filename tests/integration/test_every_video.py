"""Every kind of video that people have: each picture has its number, its exact time, and ffmpeg's pixels.

`make test` takes some videos of each kind, `make proofs` all of them.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from video_jobs.domain.errors import ResourceLimitError, UnreadableVideoError
from video_jobs.domain.sampling import EVERY_PICTURE
from video_worker.video import index
from video_worker.video.video_reader import VideoReader

from tests.fixtures.numbered_pictures import read_number, unfitted
from tests.fixtures.numbered_videos import PLANNED, NumberedVideo, Truth, make_numbered
from tests.support.readings import Reading, check_starts, read_video_file
from tests.support.shown_by_ffmpeg import ShownPicture, shown_by_ffmpeg

MEAN_DIFFERENCE = 1.5
"""Of 255, between our colours and ffmpeg's where a picture is scaled, deinterlaced or has over 8 bits."""
FAR, FAR_SHARE = 24, 0.002
"""Share of the colours that may differ by more than `FAR` there: scaling is free at sharp edges."""
IS_PROOF = "EVERY_VIDEO" in os.environ
STARTS = 16 if IS_PROOF else 3


def some_of_each_kind(names: Iterable[str]) -> list[str]:
    """Every fifth video of a kind, which is the first word of its name."""
    kinds = defaultdict[str, list[str]](list)
    for name in names:
        kinds[name.partition("_")[0]].append(name)
    return [name for kind in kinds.values() for name in kind[::5]]


NAMES = list(PLANNED) if IS_PROOF else some_of_each_kind(PLANNED)

REFUSED = [name for name in NAMES if name.startswith(("encrypted", "side_over"))]
DAMAGED = [name for name in NAMES if name.startswith(("damaged", "cut_off", "long_damaged"))]
READ = [name for name in NAMES if name not in REFUSED]
WHOLE = [name for name in READ if name not in DAMAGED]
INTERLACED = [name for name in WHOLE if name.startswith("interlaced")]
OWN_RULE = ("hdr", "rare_hdr", "size_changes", "rare_size_changes", "interlaced_turned")
"""Kinds for which the project has a rule that ffmpeg does not have."""
TIMED = [name for name in WHOLE if name != "rare_offsets_missing"]
COMPARED = [name for name in WHOLE if not name.startswith(OWN_RULE)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("numbered")


@pytest.fixture(scope="module")
def video(request: pytest.FixtureRequest, folder: Path) -> Iterator[NumberedVideo]:
    """A video; a short one is decoded from every possible start on, else it would have only one."""
    with pytest.MonkeyPatch.context() as patch:
        if not request.param.startswith("long"):
            patch.setattr(index, "SEGMENT_PACKETS", 1)
        yield make_numbered(request.param, folder)


@pytest.fixture(scope="module")
def truth(video: NumberedVideo) -> Truth:
    return video.truth


@pytest.fixture(scope="module")
def reading(video: NumberedVideo) -> Reading:
    """The whole video, read once for all tests of it."""
    return read_video_file(video.path)


@pytest.fixture(scope="module")
def shown(video: NumberedVideo) -> list[ShownPicture]:
    """What ffmpeg shows."""
    truth = video.truth
    return shown_by_ffmpeg(video.path, truth.size, truth.track, truth.picture_filter)


of_read = pytest.mark.parametrize("video", READ, indirect=True, scope="module")
of_timed = pytest.mark.parametrize("video", TIMED, indirect=True, scope="module")
of_compared = pytest.mark.parametrize("video", COMPARED, indirect=True, scope="module")
of_damaged = pytest.mark.parametrize("video", DAMAGED, indirect=True, scope="module")
of_interlaced = pytest.mark.parametrize("video", INTERLACED, indirect=True, scope="module")
of_refused = pytest.mark.parametrize("video", REFUSED, indirect=True, scope="module")


@of_read
def test_each_picture_shows_its_number(truth: Truth, reading: Reading) -> None:
    pictures = reading.pictures
    assert [picture.index for picture in pictures] == list(range(len(truth.numbers)))
    shown = [
        None
        if picture.image is None
        else read_number(unfitted(picture.image, picture.stored_size or truth.size))
        for picture in pictures
    ]
    wrong = {index: number for index, number in enumerate(shown) if number != truth.numbers[index]}
    assert set(wrong) <= truth.damaged, wrong


@of_read
def test_each_picture_has_the_size_that_is_told(truth: Truth, reading: Reading) -> None:
    sizes = {picture.image.shape for picture in reading.pictures if picture.image is not None}
    assert sizes == {(truth.size[1], truth.size[0], 3)}
    assert {p.index: p.stored_size for p in reading.pictures if p.stored_size} == truth.stored_sizes


@of_timed
def test_the_times_are_those_of_ffmpeg(reading: Reading, shown: list[ShownPicture]) -> None:
    assert [picture.time_us for picture in reading.pictures] == [picture.time_us for picture in shown]
    assert reading.facts.first_picture_ms == shown[0].movie_time_us / 1000


@of_damaged
def test_a_damaged_picture_keeps_its_index_and_its_time(truth: Truth, reading: Reading) -> None:
    times = [picture.time_us for picture in reading.pictures]
    assert times == [40_000 * index for index in range(len(truth.numbers))]


@of_compared
def test_the_pictures_are_those_of_ffmpeg(truth: Truth, reading: Reading, shown: list[ShownPicture]) -> None:
    for ours, theirs in zip(reading.pictures, shown, strict=True):
        assert ours.image is not None
        differences = np.abs(ours.image.astype(np.int16) - theirs.image)
        mean, far_share = (0, 0) if truth.is_exact else (MEAN_DIFFERENCE, FAR_SHARE)
        assert differences.mean() <= mean, ours.index
        assert (differences > FAR).mean() <= far_share, ours.index


@of_read
def test_the_facts_are_right(truth: Truth, reading: Reading) -> None:
    facts = reading.facts
    assert (facts.width, facts.height) == truth.size
    assert (facts.rotation, facts.mirrored) == (truth.rotation, truth.mirrored)
    assert (facts.interlaced, facts.hdr) == (truth.interlaced, truth.hdr)
    assert facts.variable_frame_rate == truth.variable_frame_rate
    assert facts.frame_count == (len(truth.numbers) if truth.has_frame_count else None)
    assert truth.container in (None, facts.container)
    assert truth.codec in (None, facts.codec)


@of_read
def test_the_rate_is_that_of_the_pictures(truth: Truth, reading: Reading) -> None:
    facts, pictures = reading.facts, reading.pictures
    if not truth.has_frame_count:
        assert (facts.duration_ms, facts.average_frame_rate) == (None, None)
        return
    assert facts.duration_ms is not None
    assert facts.duration_ms > pictures[-1].timestamp_ms
    rate = len(pictures) * 1000 / facts.duration_ms
    expected = None if len(pictures) == 1 else pytest.approx(rate, abs=0.001)
    assert facts.average_frame_rate == expected


@of_read
def test_warnings_are_true(truth: Truth, reading: Reading) -> None:
    assert {warning.code for warning in reading.warnings} == truth.warnings


@of_read
def test_a_picture_is_the_same_wherever_reading_starts(video: NumberedVideo, reading: Reading) -> None:
    check_starts(video.path, reading.prints(), STARTS)


@of_interlaced
def test_deinterlacing_does_not_depend_on_where_reading_starts(
    video: NumberedVideo, reading: Reading
) -> None:
    """From every picture on: the first one read needs the one before it."""
    check_starts(video.path, reading.prints(), len(reading.pictures), lambda *_: EVERY_PICTURE)


@of_refused
def test_what_cannot_be_read_is_refused_at_once_with_the_cause(video: NumberedVideo, truth: Truth) -> None:
    assert truth.refused is not None
    with pytest.raises((UnreadableVideoError, ResourceLimitError)) as refusal:
        VideoReader(video.path)
    assert truth.refused in str(refusal.value)
    assert "; upload " in str(refusal.value) or "; submit " in str(refusal.value)
