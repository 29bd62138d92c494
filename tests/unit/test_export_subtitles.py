"""Subtitles, read back by webvtt-py, srt and FFmpeg."""

from __future__ import annotations

import html
import io
from collections.abc import Callable
from datetime import timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

import av
import pytest
import srt
import webvtt
from hypothesis import given
from hypothesis import strategies as st
from video_jobs_client import Results, ResultsError, Summary, exports
from video_jobs_client.summary import Content, video_summary

from tests.support.sample_results import CLASSES, FIRST_PICTURE_MS, sample, text_of, video, without_times
from tests.support.sample_summary import (
    CAPTION,
    CAPTION_SHOWN,
    PERSON_SHOWN,
    SECOND_SHOWN,
    SIGN,
    SIGN_SHOWN,
    STEP_MS,
    sample_summary,
    summary,
)

CUES = [
    # In the player's clock: the first picture is shown at 250.5 ms, the analysed ones 300.3 ms apart.
    (250, 551, "Café & <Bar>"),
    (250, 851, "EXIT 12"),
    (551, 851, '=1+1, "q" --> 北'),
    (851, 1452, "Café & <Bar>"),
]
OBJECTS = [(250, 551, "person"), (250, 851, "car"), (551, 851, CLASSES[1]), (1151, 1452, "car")]


def read_webvtt(text: str) -> list[tuple[int, int, str]]:
    cues = webvtt.from_string(text).captions
    return [
        (cue.start_time.in_milliseconds(), cue.end_time.in_milliseconds(), html.unescape(cue.text))
        for cue in cues
    ]


def read_srt(text: str) -> list[tuple[int, int, str]]:
    cues = list(srt.parse(text))
    assert [cue.index for cue in cues] == list(range(1, len(cues) + 1))
    millisecond = timedelta(milliseconds=1)
    return [(cue.start // millisecond, cue.end // millisecond, cue.content) for cue in cues]


def read_by_ffmpeg(text: str, suffix: str, folder: Path) -> list[tuple[int, int, str]]:
    path = folder / f"texts{suffix}"
    path.write_text(text, encoding="utf-8")
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux() if packet.size]
        return [
            (one.pts or 0, (one.pts or 0) + (one.duration or 0), html.unescape(bytes(one).decode()))
            for one in packets
        ]


def test_webvtt_tells_texts_as_long_as_frames_show_them(tmp_path: Path) -> None:
    text = text_of(exports.write_webvtt, sample())
    assert read_webvtt(text) == CUES
    assert read_by_ffmpeg(text, ".vtt", tmp_path) == CUES


def test_subrip_tells_the_same(tmp_path: Path) -> None:
    text = text_of(exports.write_srt, sample())
    without_arrow = [(start, end, line.replace("-->", "->")) for start, end, line in CUES]
    assert read_srt(text) == without_arrow
    assert read_by_ffmpeg(text, ".srt", tmp_path) == without_arrow


def test_subtitles_of_objects_tell_the_classes() -> None:
    target = io.StringIO()
    exports.write_webvtt(sample(), target, content="objects")
    cues = read_webvtt(target.getvalue())
    assert cues[:3] == OBJECTS[:3]
    assert set(cues[3:]) == {(1151, 1452, "car"), (1151, 1452, CLASSES[1])}


def results_with_texts(texts: list[str], times: list[float], duration_ms: float | None = None) -> Results:
    frames = [{"frame_index": number, "result": {"text": text}} for number, text in enumerate(texts)]
    page = {"results": frames, "timestamps_ms": times}
    return Results([page], video(first_picture_ms=0, duration_ms=duration_ms))


@pytest.mark.parametrize(
    ("times", "duration_ms", "end_ms"),
    [
        ([0.0, 40.0], 70.0, 70),  # the video ends before a step is over
        ([0.0, 40.0], 5000.0, 80),  # max_frames: what comes later is not known
        ([0.0, 40.0], None, 80),
        ([0.0], 5000.0, 5000),
        ([0.0], None, 1),  # no cue is empty
    ],
)
def test_the_last_text_ends_with_its_frame(
    times: list[float], duration_ms: float | None, end_ms: int
) -> None:
    results = results_with_texts(["EXIT"] * len(times), times, duration_ms=duration_ms)
    assert read_webvtt(text_of(exports.write_webvtt, results)) == [(0, end_ms, "EXIT")]


def test_subtitles_go_on_after_an_hour() -> None:
    results = results_with_texts(["", "LATE", ""], [0.0, 3_723_004.0, 360_000_000.0])
    text = text_of(exports.write_srt, results)
    assert "01:02:03,004 --> 100:00:00,000" in text
    assert read_srt(text) == [(3_723_004, 360_000_000, "LATE")]


@given(st.lists(st.sets(st.sampled_from(["A", "B & <i>", "C"])), max_size=12), st.data())
def test_a_text_is_told_exactly_while_frames_show_it(shown: list[set[str]], data: st.DataObject) -> None:
    # GIVEN frames at uneven times
    steps = data.draw(st.lists(st.integers(1, 90), min_size=len(shown), max_size=len(shown)))
    times = [float(time) for time in accumulate(steps)]
    results = results_with_texts(["\n".join(sorted(texts)) for texts in shown], times)
    # WHEN they are written as subtitles
    cues = read_webvtt(text_of(exports.write_webvtt, results))
    # THEN each frame is told what it shows, and cues come in the order of their starts
    for texts, time in zip(shown, times, strict=True):
        assert {text for start, end, text in cues if start <= time < end} == texts
    assert [start for start, *_ in cues] == sorted(start for start, *_ in cues)


def of_frames(frames: range, text: str) -> tuple[int, int, str]:
    """The cue of what is shown on these frames of the sample: it ends when the next frame begins."""
    start, end = (STEP_MS * number + round(FIRST_PICTURE_MS) for number in (frames.start, frames.stop))
    return (start, end, text)


SUMMARY_CUES: dict[Content, list[tuple[int, int, str]]] = {
    "texts": [
        of_frames(CAPTION_SHOWN[0], CAPTION),
        of_frames(SIGN_SHOWN, SIGN),
        of_frames(CAPTION_SHOWN[1], CAPTION),
    ],
    "objects": [of_frames(PERSON_SHOWN, "person (2)")],
    "tracks": [of_frames(PERSON_SHOWN, "person #1"), of_frames(SECOND_SHOWN, "person #2")],
}


@pytest.mark.parametrize("content", SUMMARY_CUES)
def test_subtitles_of_a_summary_have_agreed_spellings_and_exact_times(content: Content) -> None:
    target = io.StringIO()
    exports.write_webvtt(sample_summary(), target, content)
    assert read_webvtt(target.getvalue()) == SUMMARY_CUES[content]
    target = io.StringIO()
    exports.write_srt(sample_summary(), target, content)
    without_arrow = [(*times, text.replace("-->", "->")) for *times, text in SUMMARY_CUES[content]]
    assert read_srt(target.getvalue()) == without_arrow


def test_subtitles_of_objects_one_by_one_come_from_tracks_as_well() -> None:
    target = io.StringIO()
    exports.write_webvtt(sample(), target, "tracks")
    assert read_webvtt(target.getvalue())[:2] == [(250, 551, "person #8"), (250, 851, "car #7")]
    with pytest.raises(ResultsError, match="include=tracks"):
        exports.write_webvtt(sample(has_tracks=False), target, "tracks")


def test_a_summary_that_this_package_cannot_read_is_refused() -> None:
    with pytest.raises(ResultsError, match="install a newer video-jobs-client"):
        video_summary(summary() | {"version": 2})
    with pytest.raises(ResultsError, match="pass the video"):
        exports.write_srt(Summary(sample_summary().told), io.StringIO())


@pytest.mark.parametrize("write", [exports.write_webvtt, exports.write_srt])
def test_subtitles_need_times(write: Callable[[Results, Any], None]) -> None:
    with pytest.raises(ResultsError, match="timestamps_ms"):
        text_of(write, without_times())
