"""The browser names the picture that it presents by its time in the movie, which is ours.

``clients/web/src/player/frame_clock.ts`` rests on this.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console.conftest import Drive
from tests.console.played_job import PlayedJob, PlayedService
from tests.fixtures.numbered_videos import NumberedVideo, make_numbered

EXACT_MS = 0.001
KINDS = (
    *("ntsc", "ntsc_coarse_ticks", "uneven_rate", "uneven_rate_pyramid", "1000_a_second", "long_gap"),
    *("h264_b_pyramid", "fragmented_keyframes_pyramid", "fragmented_delayed"),
    *(
        "edit_empty_first",
        "edit_trimmed_both_pyramid",
        "edit_several",
        "edit_by_ffmpeg",
        "edit_in_coarse_time",
    ),
    *("turned_90", "turned_270_mirrored", "pixels_3_to_2_turned", "av1", "vp9_hidden_frames"),
)


@pytest.fixture(scope="module", params=KINDS)
def video(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> NumberedVideo:
    return make_numbered(request.param, tmp_path_factory.mktemp("clock"))


@pytest.fixture(scope="module")
def service(console: Path, video: NumberedVideo) -> Iterator[PlayedService]:
    with PlayedService(console, PlayedJob.of_video(video.path, lambda *_: {})) as running:
        yield running


def test_each_presented_picture_is_named_exactly(
    drive: Drive, video: NumberedVideo, service: PlayedService
) -> None:
    facts = service.played.facts
    times = [time + facts.first_picture_ms for _, time, _ in service.played.frames]
    ends = [*times[1:], times[-1] + 20]
    middles = [(start + end) / 2000 for start, end in zip(times, ends, strict=True)]
    seen = drive("frame_clock.js", url=service.url, seconds=middles)
    assert seen["size"] == [facts.width, facts.height]
    sought, played = ([one for one in seen[name] if one] for name in ("sought", "played"))
    assert len(sought) + len(played) >= len(times) // 2
    numbers = video.truth.numbers
    for media_time, number in sought:
        assert number == numbers[index_of(media_time, times)]
    # while it plays, a busy machine may show the next picture before the callback runs
    on_time = [number == numbers[index_of(media_time, times)] for media_time, number in played]
    assert sum(on_time) > len(played) / 2
    for media_time, number in played:
        assert number in numbers[index_of(media_time, times) :]


def index_of(media_time: float, times: list[float]) -> int:
    """The picture that a callback names, which it does exactly."""
    index = min(range(len(times)), key=lambda at: abs(times[at] - media_time * 1000))
    assert abs(times[index] - media_time * 1000) <= EXACT_MS
    return index
