"""Join frames in tests as the worker does."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from video_jobs.domain.video import VideoFacts
from video_worker.analysis import AnalysedFrame, KeepGoing, PartNotes
from video_worker.joined_results import JoinedResults
from video_worker.results_serializer import notes_line, part_line

from tests.support.folding import video_facts

NOTHING = PartNotes()


def person_walking(frame: int) -> dict[str, Any]:
    """A person that is seen on all frames, behind something unsure on every other one."""
    box = [10.0 + frame, 10.0, 60.0 + frame, 90.0]
    person = {"xyxy": box, "confidence": 0.9, "class_id": 0, "class_name": "person"}
    unsure = person | {"xyxy": [300.0, 10.0, 340.0, 50.0], "confidence": 0.2}
    return {"detections": [unsure, person] if frame % 2 else [person]}


def track_ids_of(frame: int) -> list[int | None]:
    """The tracks of these detections, if there are enough frames."""
    return [None, 1] if frame % 2 else [1]


def part_lines(frames: Iterable[AnalysedFrame], notes: PartNotes = NOTHING) -> list[bytes]:
    """The lines of one part."""
    return [*map(part_line, frames), notes_line(notes)]


def joined(
    folder: Path,
    lines: Iterable[bytes],
    max_frames: int | None = None,
    *,
    video: VideoFacts | None = None,
    keep_going: KeepGoing = lambda: None,
) -> JoinedResults:
    """The results of the lines of all parts, closed."""
    with JoinedResults(folder, keep_going, max_frames) as results:
        for line in lines:
            results.add_line(line)
        results.close(video or video_facts())
    return results
