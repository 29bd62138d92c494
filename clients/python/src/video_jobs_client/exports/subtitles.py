"""Subtitles that tell what was read or seen, in the time of the player.

Sources: https://www.w3.org/TR/webvtt1/; SubRip has no standard, its form is that of the program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape
from typing import Literal

from video_jobs_client.exports.output import Target, opened
from video_jobs_client.exports.sorted_lines import SortedLines
from video_jobs_client.intervals import intervals
from video_jobs_client.results import Frame, Results

Content = Literal["texts", "objects"]
"""What subtitles tell: the lines of text, or the names of the classes."""


def _texts(frame: Frame) -> Iterable[str]:
    return frame.lines


def _objects(frame: Frame) -> Iterable[str]:
    return (one.class_name for one in frame.detections)


_SHOWN_ON: Mapping[Content, Callable[[Frame], Iterable[str]]] = {"texts": _texts, "objects": _objects}


def write_webvtt(results: Results, target: Target, content: Content = "texts") -> None:
    """WebVTT: a cue for each text, or class, as long as frames that follow each other show it.

    Raises
    ------
    ResultsError
        If the results have no times, or the video is not known.
    """
    with opened(target) as file:
        file.write("WEBVTT\n")
        for start_ms, end_ms, text in _cues(results, content):
            file.write(f"\n{_clock(start_ms, '.')} --> {_clock(end_ms, '.')}\n{escape(text, quote=False)}\n")


def write_srt(results: Results, target: Target, content: Content = "texts") -> None:
    """SubRip, with the same cues as `write_webvtt`. It has no way to write an arrow (-->) in a text.

    Raises
    ------
    ResultsError
        If the results have no times, or the video is not known.
    """
    with opened(target) as file:
        for number, (start_ms, end_ms, text) in enumerate(_cues(results, content), start=1):
            times = f"{_clock(start_ms, ',')} --> {_clock(end_ms, ',')}"
            file.write(f"{number}\n{times}\n{text.replace('-->', '->')}\n\n")


def _cues(results: Results, content: Content) -> Iterator[tuple[int, int, str]]:
    """Start and end in milliseconds of the player, and the text, in the order of their starts."""
    offset_ms = results.video["first_picture_ms"]
    with SortedLines() as cues:
        for one in intervals(results, _SHOWN_ON[content]):
            start_ms = round(one.start_ms + offset_ms)
            cues.add(start_ms, max(start_ms + 1, round(one.end_ms + offset_ms)), one.text)
        for start, end, text in cues:
            yield int(start), int(end), text


def _clock(time_ms: int, point: str) -> str:
    seconds, milliseconds = divmod(time_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{point}{milliseconds:03d}"
