"""Join frames in tests as the worker does."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from video_jobs.domain.video import VideoFacts
from video_worker.analysis import AnalysedFrame, KeepGoing, PartNotes
from video_worker.joined_results import JoinedResults
from video_worker.results_serializer import notes_line, part_line

from tests.support.folding import video_facts

NOTHING = PartNotes()


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
