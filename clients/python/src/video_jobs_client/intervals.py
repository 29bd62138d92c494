"""When something was on the screen, from frames that follow each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from video_jobs_client.errors import ResultsError
from video_jobs_client.results import Frame, Results


@dataclass(frozen=True, slots=True)
class Interval:
    """What was there from ``start_ms`` on and no longer at ``end_ms``, in the clock of the frames."""

    start_ms: float
    end_ms: float
    text: str


def intervals(results: Results, shown_on: Callable[[Frame], Iterable[str]]) -> Iterator[Interval]:
    """Each thing from the first of the analysed frames that show it to the first that does not.

    What the last frame shows ends with that frame, which lasts as long as the one before, and no longer than
    the video. Intervals come in the order of their ends.

    Raises
    ------
    ResultsError
        If the results have no times.
    """
    since: dict[str, float] = {}
    timestamp_ms, step_ms = 0.0, 0.0
    for frame in results.frames():
        step_ms, timestamp_ms = _time_of(frame) - timestamp_ms, _time_of(frame)
        shown = set(shown_on(frame))
        yield from _ended(since, since.keys() - shown, timestamp_ms)
        since |= dict.fromkeys(shown - since.keys(), timestamp_ms)
    if since:
        yield from _ended(since, set(since), _end_of(results, timestamp_ms, step_ms))


def clock(time_ms: float) -> str:
    """A time for people, to the millisecond.

    Examples
    --------
    >>> clock(1234), clock(3_723_456)
    ('0:01.234', '1:02:03.456')
    """
    seconds, milliseconds = divmod(round(time_ms), 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    before = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{before}:{seconds:02d}.{milliseconds:03d}"


def _ended(since: dict[str, float], texts: set[str], end_ms: float) -> Iterator[Interval]:
    for text in sorted(texts):
        yield Interval(since.pop(text), end_ms, text)


def _time_of(frame: Frame) -> float:
    if frame.timestamp_ms is None:
        raise ResultsError("These results have no timestamps_ms: run the job again to get them")
    return frame.timestamp_ms


def _end_of(results: Results, timestamp_ms: float, step_ms: float) -> float:
    """When the last analysed frame ends."""
    duration_ms = results.video.duration_ms
    if duration_ms is None:
        return timestamp_ms + step_ms
    return min(timestamp_ms + step_ms, duration_ms) if step_ms else duration_ms
