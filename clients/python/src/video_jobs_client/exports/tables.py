"""CSV, with a line for each detection, word, track or text, and JSONL, with a line for each frame.

Source of CSV: RFC 4180.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from video_jobs_client.exports.output import Target, json_of, opened, rounded
from video_jobs_client.models import TextSummary, TrackSummary
from video_jobs_client.results import Detection, Frame, Results, Word
from video_jobs_client.summary import Summary

_FRAME = ["frame_index", "timestamp_ms"]
_BOX = ["x1", "y1", "x2", "y2"]
DETECTION_COLUMNS = [*_FRAME, "track_id", "class_id", "class_name", "confidence", *_BOX]
WORD_COLUMNS = [*_FRAME, "text", "confidence", *_BOX, "block_num", "line_num"]
_SPAN = ["first_frame", "last_frame", "start_ms", "end_ms", "in_view_ms", "frames"]
_BEST = ["best_frame", "best_ms", *_BOX]
TRACK_COLUMNS = ["track_id", "class_id", "class_name", "confidence", *_SPAN, *_BEST]
TEXT_COLUMNS = ["text_id", "text", "confidence", "agreement", *_SPAN, *_BEST]


def write_detections_csv(results: Results, target: Target) -> None:
    """One line for each detection; ``track_id`` is empty if it belongs to no track."""
    _write_csv(DETECTION_COLUMNS, detection_rows(results), target)


def write_words_csv(results: Results, target: Target) -> None:
    """One line for each word; confidences are from 0 to 100."""
    _write_csv(WORD_COLUMNS, word_rows(results), target)


def write_tracks_csv(summary: Summary, target: Target) -> None:
    """One line for each object of a summary; the box is that of the frame on which it is seen best."""
    _write_csv(TRACK_COLUMNS, (_summary_row(TRACK_COLUMNS, one) for one in summary.tracks), target)


def write_texts_csv(summary: Summary, target: Target) -> None:
    """One line for each line of text of a summary; confidences are from 0 to 1 there."""
    _write_csv(TEXT_COLUMNS, (_summary_row(TEXT_COLUMNS, one) for one in summary.texts), target)


def write_jsonl(results: Results, target: Target) -> None:
    """One line of JSON for each frame, with what stands beside it in the results."""
    with opened(target) as file:
        for frame in results.frames():
            file.write(json_of(_whole(frame)) + "\n")


def detection_rows(results: Results) -> Iterator[list[Any]]:
    """The values of `DETECTION_COLUMNS` for each detection."""
    return (_detection_row(frame, one) for frame in results.frames() for one in frame.detections)


def word_rows(results: Results) -> Iterator[list[Any]]:
    """The values of `WORD_COLUMNS` for each word."""
    return (_word_row(frame, one) for frame in results.frames() for one in frame.words)


def _write_csv(columns: list[str], rows: Iterable[list[Any]], target: Target) -> None:
    with opened(target) as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([_cell(value) for value in row] for row in rows)


def _cell(value: Any) -> Any:
    """Whole numbers have no point in a table."""
    return repr(value).removesuffix(".0") if isinstance(value, float) else value


def _detection_row(frame: Frame, one: Detection) -> list[Any]:
    names = [one.track_id, one.class_id, one.class_name, one.confidence]
    return [*_place(frame), *names, *(rounded(edge) for edge in one.xyxy)]


def _word_row(frame: Frame, word: Word) -> list[Any]:
    box = (rounded(edge) for edge in word.xyxy)
    return [*_place(frame), word.text, word.confidence, *box, word.block_num, word.line_num]


def _summary_row(columns: list[str], one: TrackSummary | TextSummary) -> list[Any]:
    told = [getattr(one, name) for name in columns[: -len(_BEST)]]
    best = one.best
    return [*told, best.frame_index, best.timestamp_ms, *(rounded(edge) for edge in best.xyxy)]


def _place(frame: Frame) -> list[Any]:
    return [frame.index, None if frame.timestamp_ms is None else rounded(frame.timestamp_ms)]


def _whole(frame: Frame) -> dict[str, Any]:
    whole = {"frame_index": frame.index, "timestamp_ms": frame.timestamp_ms, "result": frame.result}
    return whole if frame.track_ids is None else {**whole, "track_ids": list(frame.track_ids)}
