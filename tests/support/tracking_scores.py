"""Score tracks against the truth with motmetrics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import motmetrics
import numpy as np
from video_worker.summary.association import iou_matrix
from video_worker.summary.fold import FrameTracks

from tests.support.tracking_scenes import Box, TrueFrame

LEAST_IOU = 0.5


@dataclass(frozen=True)
class Scores:
    """The usual measures of tracking."""

    idf1: float
    mota: float
    switches: int
    tracks: int


Tracked = Sequence[tuple[int, Box]]
"""The tracks of a frame with their boxes."""


def tracked(frames: Sequence[TrueFrame], tracks: Sequence[FrameTracks]) -> Iterator[Tracked]:
    """The exact tracks of each frame, with the boxes of its detections."""
    for frame, found in zip(frames, tracks, strict=True):
        assert frame.analysed.frame_index == found.frame_index
        boxes = [one["xyxy"] for one in frame.analysed.result["detections"]]
        yield [(number, tuple(box)) for number, box in zip(found.track_ids, boxes, strict=True) if number]


def scores(frames: Iterable[tuple[dict[int, Box], Tracked]]) -> Scores:
    """Compare the truth of each frame with its tracks."""
    accumulator, numbers = motmetrics.MOTAccumulator(auto_id=True), set()
    for truth, tracked in frames:
        numbers |= {number for number, _ in tracked}
        iou = iou_matrix(list(truth.values()), [box for _, box in tracked])
        distances = np.where(iou >= LEAST_IOU, 1 - iou, np.nan)
        accumulator.update(list(truth), [number for number, _ in tracked], distances)
    computed = motmetrics.metrics.create().compute(accumulator, metrics=["idf1", "mota", "num_switches"])
    row = computed.iloc[0]
    return Scores(float(row["idf1"]), float(row["mota"]), int(row["num_switches"]), len(numbers))
