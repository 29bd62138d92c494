"""Subtitles that tell what was read or seen, in the time of the player.

Sources: https://www.w3.org/TR/webvtt1/; SubRip has no standard, its form is that of the program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape

from video_jobs_client.exports.mot import check_tracks
from video_jobs_client.exports.output import Target, opened
from video_jobs_client.exports.sorted_lines import SortedLines
from video_jobs_client.intervals import intervals
from video_jobs_client.results import Frame, Results
from video_jobs_client.summary import Content, Summary


def _texts(frame: Frame) -> Iterable[str]:
    return frame.lines


def _objects(frame: Frame) -> Iterable[str]:
    return (one.class_name for one in frame.detections)


def _tracks(frame: Frame) -> Iterable[str]:
    check_tracks(frame, "A subtitle for each object")
    return (f"{one.class_name} #{one.track_id}" for one in frame.detections if one.track_id is not None)


_SHOWN_ON: Mapping[Content, Callable[[Frame], Iterable[str]]] = {
    "texts": _texts,
    "objects": _objects,
    "tracks": _tracks,
}


def write_webvtt(seen: Results | Summary, target: Target, content: Content = "texts") -> None:
    """WebVTT: a cue for each text, class or object, as long as it is in view.

    With a summary, a text has its agreed spelling, and what is not seen for a moment stays in view. With
    results, a cue is as long as frames that follow each other show the very same.

    Raises
    ------
    ResultsError
        If the results have no times, or lack tracks that are asked for, or the video is not known.
    """
    with opened(target) as file:
        file.write("WEBVTT\n")
        for start_ms, end_ms, text in _cues(seen, content):
            file.write(f"\n{_clock(start_ms, '.')} --> {_clock(end_ms, '.')}\n{escape(text, quote=False)}\n")


def write_srt(seen: Results | Summary, target: Target, content: Content = "texts") -> None:
    """SubRip, with the same cues as `write_webvtt`. It has no way to write an arrow (-->) in a text.

    Raises
    ------
    ResultsError
        As `write_webvtt` does.
    """
    with opened(target) as file:
        for number, (start_ms, end_ms, text) in enumerate(_cues(seen, content), start=1):
            times = f"{_clock(start_ms, ',')} --> {_clock(end_ms, ',')}"
            file.write(f"{number}\n{times}\n{text.replace('-->', '->')}\n\n")


def _cues(seen: Results | Summary, content: Content) -> Iterator[tuple[int, int, str]]:
    """Start and end in milliseconds of the player, and the text, in the order of their starts."""
    offset_ms = seen.video.first_picture_ms
    found = seen.intervals(content) if isinstance(seen, Summary) else intervals(seen, _SHOWN_ON[content])
    with SortedLines() as cues:
        for one in found:
            start_ms = round(one.start_ms + offset_ms)
            cues.add(start_ms, max(start_ms + 1, round(one.end_ms + offset_ms)), one.text)
        for start, end, text in cues:
            yield int(start), int(end), text


def _clock(time_ms: int, point: str) -> str:
    seconds, milliseconds = divmod(time_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{point}{milliseconds:03d}"
