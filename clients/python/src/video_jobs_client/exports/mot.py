"""MOTChallenge: one box a line, as of https://arxiv.org/abs/1603.00831, section 3.3.

Frames and pixels are counted from 1 there, so that the top left pixel is (1, 1).
"""

from __future__ import annotations

from collections.abc import Callable

from video_jobs_client.errors import ResultsError
from video_jobs_client.exports.output import Target, opened, plain
from video_jobs_client.results import Detection, Frame, Results

_NO_TRACK = -1


def write_mot_results(results: Results, target: Target) -> None:
    """What a tracker gives (also ``det.txt``): frame, id, left, top, width, height, confidence, -1, -1, -1.

    A detection that belongs to no track has the id -1.

    Raises
    ------
    ResultsError
        If the results have no tracks.
    """
    _write(results, target, _result_line)


def write_mot_ground_truth(results: Results, target: Target) -> None:
    """As ``gt.txt``: frame, id, left, top, width, height, 1, ``class_id`` + 1, visibility 1.

    Detections that belong to no track are left out.

    Raises
    ------
    ResultsError
        If the results have no tracks.
    """
    _write(results, target, _truth_line)


def _write(results: Results, target: Target, line_of: Callable[[Frame, Detection], str]) -> None:
    with opened(target) as file:
        for frame in results.frames():
            check_tracks(frame, "MOT")
            file.writelines(line_of(frame, one) for one in frame.detections)


def check_tracks(frame: Frame, file_format: str) -> None:
    """Check that a frame has tracks.

    Raises
    ------
    ResultsError
        If it has none.
    """
    if frame.track_ids is None:
        raise ResultsError(
            f"{file_format} needs tracks, and frame {frame.index} has no track_ids: "
            "get the pages with include=tracks"
        )


def _result_line(frame: Frame, one: Detection) -> str:
    track_id = _NO_TRACK if one.track_id is None else one.track_id
    return f"{_box(frame, track_id, one)},{plain(one.confidence, 4)},-1,-1,-1\n"


def _truth_line(frame: Frame, one: Detection) -> str:
    return "" if one.track_id is None else f"{_box(frame, one.track_id, one)},1,{one.class_id + 1},1\n"


def _box(frame: Frame, track_id: int, one: Detection) -> str:
    left, top, *_ = one.xyxy
    numbers = (plain(value) for value in (left + 1, top + 1, one.width, one.height))
    return f"{frame.index + 1},{track_id},{','.join(numbers)}"
