"""A choice of pictures reaches the decoder, and its answers are compared with the choice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from aws_lambda_powertools import Logger
from video_jobs.domain.errors import AnalysisCrashedError, NoFrameChosenError
from video_jobs.domain.sampling import Sampling
from video_worker.sandbox.sandboxed_videos import SandboxedVideos

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.support.hostile_decoder import MARK
from tests.support.sandboxes import OPENER, limits


@pytest.fixture(scope="module")
def videos() -> Iterator[SandboxedVideos]:
    with SandboxedVideos(limits(), Logger(), OPENER) as made:
        yield made


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (Sampling(stride=7), [0, 7, 14, 21, 28, 35]),
        (Sampling(start_ms=850.5, end_ms=2000, frames_per_second=2.5), [9, 13, 17]),
    ],
)
def test_a_choice_of_pictures_reaches_the_decoder(
    videos: SandboxedVideos, chosen: Sampling, expected: list[int]
) -> None:
    with videos.open(TINY, sampling=chosen) as video:
        assert video.candidates == len(expected)
        assert [picture.index for picture in video.frames()] == expected
        assert [picture.index for picture in video.frames(2)] == expected[2:]


def test_the_decoder_tells_that_nothing_is_chosen(videos: SandboxedVideos) -> None:
    with (
        pytest.raises(NoFrameChosenError, match="it lasts 4000 ms"),
        videos.open(TINY, sampling=Sampling(start_ms=4000)) as video,
    ):
        list(video.frames())


@pytest.mark.parametrize("chosen", [{"start_ms": 0.5}, {"end_ms": 1.5}, {"frames_per_second": 900}])
def test_a_picture_that_was_not_chosen_is_a_lie(
    videos: SandboxedVideos, tmp_path: Path, chosen: dict[str, float]
) -> None:
    file = tmp_path / "video.mp4"
    file.write_bytes(MARK + b"nothing ")  # pictures at 0, 1 and 2 ms
    sampling = Sampling(**chosen)  # type: ignore[arg-type]
    with (
        pytest.raises(AnalysisCrashedError, match="gave impossible answers"),
        videos.open(file, sampling=sampling) as video,
    ):
        list(video.frames())


def test_a_run_does_not_begin_before_its_first_candidate(videos: SandboxedVideos, tmp_path: Path) -> None:
    file = tmp_path / "video.mp4"
    file.write_bytes(MARK + b"same_again ")  # picture 0, whatever is asked for
    with videos.open(file) as video, pytest.raises(AnalysisCrashedError):
        next(iter(video.frames(1)))
