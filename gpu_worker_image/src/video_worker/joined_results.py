"""The files of a job's results, written while its parts come in.

The lines of the parts are taken in order, as they are in the parts' files: the bytes do not depend on who
computed which part. Each frame goes to the results and into the fold of the summary, which says later which
tracks it has. So little is left to do after the last part, however long the video is.
"""

from __future__ import annotations

from collections import deque
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, NamedTuple

from video_jobs.domain.job import Output, SummaryOutput
from video_jobs.domain.keys import (
    results_index_key,
    results_key,
    summary_key,
    tracks_index_key,
    tracks_key,
)
from video_jobs.domain.results import HEAD, TAIL, TIMES_HEAD, milliseconds
from video_jobs.domain.tracks import TRACKS_HEAD, TRACKS_TAIL, tracks_line
from video_jobs.domain.video import VideoFacts
from video_jobs.ports import StorageService

from video_worker.analysis import KeepGoing, PartNotes
from video_worker.indexed_lines import IndexedLines
from video_worker.results_serializer import is_notes, notes_of, read_frame
from video_worker.summary.fold import FrameTracks, SummaryFold, summary_bytes

_JSON, _INDEX = "application/json", "application/octet-stream"


class JoinedFiles(NamedTuple):
    """Where the files are on this machine."""

    results: Path
    results_index: Path
    summary: Path
    tracks: Path
    tracks_index: Path

    @classmethod
    def of(cls, folder: Path) -> JoinedFiles:
        """The files in a folder."""
        names = ("results.json", "results.idx", "summary.json", "tracks.json", "tracks.idx")
        return cls(*(folder / name for name in names))


class JoinedResults(AbstractContextManager["JoinedResults"]):
    """Joins parts, whose first ``max_frames`` frames are taken, or all; `close` ends it.

    Parameters
    ----------
    folder
        Where the files are written.
    keep_going
        Called for each line that is taken, and for each time that is written at the end.

    Attributes
    ----------
    notes
        Those of the parts, in order, without what was lost after the last frame taken.
    """

    def __init__(self, folder: Path, keep_going: KeepGoing, max_frames: int | None = None) -> None:
        self.folder, self.files = folder, JoinedFiles.of(folder)
        self.notes: list[PartNotes] = []
        self._keep_going, self._max_frames = keep_going, max_frames
        self._open_files = ExitStack()
        self._body = self._open(self.files.results)
        self._tracks_body = self._open(self.files.tracks)
        self._results = IndexedLines(self._body, self._open(self.files.results_index), HEAD)
        self._tracks = IndexedLines(self._tracks_body, self._open(self.files.tracks_index), TRACKS_HEAD)
        self._fold = SummaryFold(self._add_tracks)
        self._times_us: deque[int] = deque()
        """Of the frames whose tracks the fold has not told yet: those of about a second."""
        self._last_index = 0
        self._is_part_wanted = not self.is_full

    def __exit__(self, *_: object) -> None:
        self._open_files.close()

    @property
    def frames(self) -> int:
        """How many frames were taken."""
        return self._results.count

    @property
    def is_full(self) -> bool:
        """Whether no further frame is wanted."""
        return self.frames == self._max_frames

    def add_part(self, part: Path) -> None:
        """Take all lines of a part.

        Raises
        ------
        ValueError
            If the part has no notes, which means that it is not complete.
        """
        line = b""
        with part.open("rb") as lines:
            for line in lines:
                self.add_line(line)
        if not is_notes(line):
            raise ValueError(f"{part.name} ends without notes")

    def add_line(self, line: bytes) -> None:
        """Take the next line of a part (`part_line` or `notes_line`)."""
        self._keep_going()
        if is_notes(line):
            self._end_part(notes_of(line))
        elif not self.is_full:
            self._add_frame(line)

    def close(self, video: VideoFacts) -> None:
        """Write what follows the last frame, and the summary; nothing can be added then."""
        self.files.summary.write_bytes(summary_bytes(self._fold.end(video)))
        self._tracks.close()
        self._tracks_body.write(TRACKS_TAIL)
        self._results.close()
        self._write_times()
        self._open_files.close()

    def store(self, job_id: str, storage: StorageService) -> Output:
        """Store all files, which are closed."""
        results = storage.save_file(results_key(job_id), self.files.results, _JSON)
        index = storage.save_file(results_index_key(job_id), self.files.results_index, _INDEX)
        summary = storage.save_file(summary_key(job_id), self.files.summary, _JSON)
        tracks = storage.save_file(tracks_key(job_id), self.files.tracks, _JSON)
        tracks_index = storage.save_file(tracks_index_key(job_id), self.files.tracks_index, _INDEX)
        told = SummaryOutput(summary.key, summary.version, tracks.key, tracks.version, tracks_index.version)
        return Output(results.key, results.version, index.version, told)

    def _open(self, path: Path) -> BinaryIO:
        return self._open_files.enter_context(path.open("w+b"))

    def _add_frame(self, line: bytes) -> None:
        stored, frame = read_frame(line)
        self._last_index = stored.frame_index
        self._results.write(*stored)
        self._times_us.append(stored.time_us)
        self._fold.add(frame)

    def _add_tracks(self, found: FrameTracks) -> None:
        self._tracks.write(found.frame_index, self._times_us.popleft(), tracks_line(found.track_ids))

    def _end_part(self, notes: PartNotes) -> None:
        if self._is_part_wanted:
            is_after = self.is_full and (notes.first_lost or 0) > self._last_index
            self.notes.append(replace(notes, lost=0, first_lost=None) if is_after else notes)
        self._is_part_wanted, self._last_index = not self.is_full, 0

    def _write_times(self) -> None:
        self._body.write(TIMES_HEAD)
        for number, time_us in enumerate(self._results.times_us()):
            self._keep_going()
            self._body.write((b"," if number else b"") + milliseconds(time_us).encode())
        self._body.write(TAIL)
