"""The tracks of the summary beside those of Ultralytics' own ByteTrack, on the same detections.

``python -m tests.proofs.test_tracks`` prints the table of docs/summary.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from statistics import fmean
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from video_worker.plugins.yolo.ultralytics_environment import quiet_ultralytics
from video_worker.summary.tracker import TRACK_GAP_US

from tests.support.folding import folded
from tests.support.tracking_scenes import (
    CAMERA_FPS,
    HEIGHT,
    SCENES,
    WIDTH,
    Scene,
    TrueFrame,
    even_times,
    filmed,
)
from tests.support.tracking_scores import Scores, Tracked, scores, tracked

STRIDES = (1, 2, 3, 6, 10, 15, 30)
SEEDS = (1, 2)


def ours(frames: Sequence[TrueFrame], _fps: float) -> Iterator[Tracked]:
    _, tracks = folded(frame.analysed for frame in frames)
    return tracked(frames, tracks)


def theirs(frames: Sequence[TrueFrame], fps: float) -> Iterator[Tracked]:
    """With its own settings (bytetrack.yaml), and a gap as long as ours."""
    quiet_ultralytics()
    from ultralytics.engine.results import Boxes
    from ultralytics.trackers.byte_tracker import BYTETracker

    gap = max(1, round(TRACK_GAP_US / 1e6 * fps))
    tracker = BYTETracker(
        SimpleNamespace(
            track_high_thresh=0.25,
            track_low_thresh=0.1,
            new_track_thresh=0.25,
            track_buffer=gap,
            match_thresh=0.8,
            fuse_score=True,
        )
    )
    for frame in frames:
        rows = [row(one) for one in frame.analysed.result["detections"]]
        found = tracker.update(Boxes(np.array(rows, np.float32).reshape(-1, 6), (HEIGHT, WIDTH)))
        yield [(int(one[4]), (one[0], one[1], one[2], one[3])) for one in found.astype(float)]


def row(detection: dict[str, Any]) -> list[float]:
    return [*detection["xyxy"], detection["confidence"], detection["class_id"]]


def both(scene: Scene, stride: int, seed: int) -> tuple[Scores, Scores]:
    frames = list(filmed(scene, even_times(scene.seconds, stride), seed))
    truth = [frame.truth for frame in frames]
    fps = CAMERA_FPS / stride
    one, other = (scores(zip(truth, track(frames, fps), strict=True)) for track in (ours, theirs))
    return one, other


@pytest.mark.parametrize("stride", STRIDES)
@pytest.mark.parametrize("scene", SCENES)
def test_ours_are_not_below_theirs(scene: Callable[[], Scene], stride: int) -> None:
    pairs = [both(scene(), stride, seed) for seed in SEEDS]
    assert fmean(one.idf1 for one, _ in pairs) >= fmean(other.idf1 for _, other in pairs)
    assert fmean(one.mota for one, _ in pairs) >= fmean(other.mota for _, other in pairs)


def print_table() -> None:
    print("| scene | frames a second | IDF1, ours / theirs | MOTA | id switches | tracks (true) |")
    print("|---|---|---|---|---|---|")
    for make in SCENES:
        for stride in STRIDES:
            print(line(make(), stride))


def line(scene: Scene, stride: int) -> str:
    pairs = [both(scene, stride, seed) for seed in SEEDS]

    def cell(of: Callable[[Scores], float], form: str = ".3f") -> str:
        return " / ".join(f"{fmean(of(pair[side]) for pair in pairs):{form}}" for side in (0, 1))

    measures = (
        cell(lambda one: one.idf1),
        cell(lambda one: one.mota),
        cell(lambda one: one.switches, ".1f"),
        cell(lambda one: one.tracks, ".1f") + f" ({len(scene.actors)})",
    )
    return f"| {scene.name} | {CAMERA_FPS // stride} | {' | '.join(measures)} |"


if __name__ == "__main__":
    print_table()
