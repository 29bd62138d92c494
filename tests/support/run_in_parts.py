"""A running job whose parts are stored one after the other, without a worker."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from video_jobs.application import VideoJobs
from video_jobs.domain.changes import Change, Expected
from video_jobs.domain.job import Job, JobStatus, Progress
from video_jobs.domain.keys import part_key, parts_prefix
from video_jobs.domain.parts import run_id
from video_worker.analysis import AnalysedFrame, PartNotes
from video_worker.parts import remove_parts

from tests.support.joining import joined, part_lines

FINGERPRINT_ID = "f"

Part = Sequence[AnalysedFrame]


def frame(index: int, text: str = "") -> AnalysedFrame:
    return AnalysedFrame(index, index * 33.367, {"text": text or f"é{index}"})


class RunInParts:
    """What a worker would store and record of ``job``; the last one of ``parts`` is not complete.

    Parameters
    ----------
    fields
        What the job is to have from the beginning, beside a fingerprint.
    """

    def __init__(self, app: VideoJobs, job: Job, parts: Sequence[Part], **fields: Any) -> None:
        self._app, self._job_id, self._parts = app, job.job_id, parts
        self.change(**{"fingerprint": {"id": FINGERPRINT_ID}, **fields})

    @property
    def job(self) -> Job:
        job = self._app.ports.jobs.get_by_id(self._job_id)
        assert job is not None
        return job

    def change(self, **values: Any) -> None:
        expected = Expected(status=self.job.status)
        change = Change(job_id=self._job_id, action="test", expected=expected, values=values)  # type: ignore[arg-type]
        self._app.ports.jobs.update_status(change)

    def store(self, count: int) -> None:
        """Store the next parts, and tell of them."""
        done = self.job.progress.parts_done
        with TemporaryDirectory() as folder:
            for number in range(done, done + count):
                key = part_key(self._job_id, run_id(self.job, FINGERPRINT_ID), number)
                path = _written(Path(folder), number, self._parts[number])
                self._app.ports.storage.save_file(key, path, "application/jsonl")
        self.change(progress=Progress(parts_done=done + count))

    @property
    def left(self) -> int:
        """How many parts may still be stored before the end."""
        return len(self._parts) - 1 - self.job.progress.parts_done

    def complete(self, **fields: Any) -> None:
        """End as a worker ends: store the results, record the end, remove the parts."""
        storage = self._app.ports.storage
        lines = [line for number, part in enumerate(self._parts) for line in _lines(number, part)]
        with TemporaryDirectory() as name:
            results = joined(Path(name), lines)
            output, frames = results.store(self._job_id, storage), results.frames
        ended = {"status": JobStatus.COMPLETED, "output": output, "progress": Progress(frames, frames)}
        self.change(**ended, **fields)
        remove_parts(self._job_id, storage)

    def lose_parts(self) -> None:
        for key in list(self._app.ports.storage.list_keys(parts_prefix(self._job_id))):
            self._app.ports.storage.delete_file(key)


def _lines(number: int, part: Part) -> list[bytes]:
    return part_lines(part, PartNotes(lost=number))


def _written(folder: Path, number: int, part: Part) -> Path:
    path = folder / f"part-{number}"
    path.write_bytes(b"".join(_lines(number, part)))
    return path
