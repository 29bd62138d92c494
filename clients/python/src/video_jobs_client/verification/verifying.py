"""Recompute some parts of a job, and compare the bytes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from video_jobs_client.errors import ResultsError
from video_jobs_client.verification.errors import NothingToVerifyError, OtherVideoError
from video_jobs_client.verification.frames import FrameBytes, StoredFrames
from video_jobs_client.verification.recomputation import Range, Recomputation, Task, find_worker, running
from video_jobs_client.verification.report import (
    MOST_DIFFERENCES,
    FingerprintDifference,
    FrameDifference,
    Verification,
    fingerprint_differences,
)


@dataclass(frozen=True, slots=True)
class PartChoice:
    """Which parts are recomputed: the first one, and others by chance.

    A part is what can be recomputed on its own, because the reading of text begins anew with it.

    Attributes
    ----------
    count
        How many parts; None for all.
    seed
        The same parts are chosen for the same seed.
    part_frames
        The length of a part in analysed frames: the setting ``PART_FRAMES`` of the service.
    """

    count: int | None = 3
    seed: int = 0
    part_frames: int = 256

    def ranges(self, frames: int) -> tuple[Range, ...]:
        """The chosen parts of results with so many frames; neighbours are in one range."""
        if self.count is None:
            return ((0, None),)
        others = range(1, -(-frames // self.part_frames))
        wanted = min(max(self.count - 1, 0), len(others))
        chosen = sorted([0, *Random(self.seed).sample(others, wanted)])  # noqa: S311 - no secret
        return tuple(_ranges(chosen))


def _ranges(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    first = end = 0
    for number in numbers:
        if number != end:
            yield first, end
            first = number
        end = number + 1
    yield first, end


def verify(
    job: Mapping[str, Any],
    video: str | os.PathLike[str],
    results: str | os.PathLike[str],
    *,
    choice: PartChoice = PartChoice(),
    python: str | os.PathLike[str] | None = None,
    on_fingerprint: Callable[[tuple[FingerprintDifference, ...]], None] | None = None,
    on_frame: Callable[[int], None] | None = None,
) -> Verification:
    """Recompute parts of a completed job with the worker on this machine, and compare each frame's bytes.

    Parameters
    ----------
    job
        The job resource (``GET /video/jobs/{job_id}``).
    video
        The file that was submitted.
    results
        The file that ``results_url`` downloads.
    python
        The interpreter for which the worker is installed; without it, the one that runs this.
    on_fingerprint
        Is called before the first frame with what the fingerprints of job and worker do not have in common.
    on_frame
        Is called after each frame with the number of frames that were compared.

    Raises
    ------
    NothingToVerifyError, OtherVideoError, WorkerMissingError, WorkerSettingError, WorkerFailedError
        If nothing can be compared, or not to the end. The worker is ended then, and also by Ctrl-C.
    ResultsError
        If the results are not a complete file, or not those of the job.
    """
    _check_job(job)
    path = _checked_video(job, Path(video))
    stored = _checked_results(job, StoredFrames(results))
    task = Task(job, choice.ranges(stored.count), choice.part_frames)
    with running(find_worker(python), path, task) as recomputation:
        fingerprint = fingerprint_differences(job.get("fingerprint"), recomputation.fingerprint)
        if on_fingerprint is not None:
            on_fingerprint(fingerprint)
        tally = _Tally()
        for found in _compared(iter(stored), recomputation):
            tally.add(found)
            if on_frame is not None:
                on_frame(tally.compared)
    return Verification(task.parts, tally.compared, tally.different, tuple(tally.kept), fingerprint)


class _Tally:
    """What was found until now."""

    def __init__(self) -> None:
        self.compared = self.different = 0
        self.kept: list[FrameDifference] = []

    def add(self, found: FrameDifference | None) -> None:
        self.compared += 1
        if found is not None:
            self.different += 1
            if self.different <= MOST_DIFFERENCES:
                self.kept.append(found)


def _check_job(job: Mapping[str, Any]) -> None:
    if job["status"] != "completed":
        raise NothingToVerifyError(
            f"The job is {job['status']}: only the results of a completed job are final"
        )


def _checked_video(job: Mapping[str, Any], video: Path) -> Path:
    try:
        size = video.stat().st_size
    except OSError as error:
        raise OtherVideoError(f"{video} cannot be read: {error.strerror}") from None
    if size != job["size_bytes"]:
        raise OtherVideoError(
            f"{video} has {size} bytes and the video of the job {job['size_bytes']}: "
            "give the file that was submitted"
        )
    return video


def _checked_results(job: Mapping[str, Any], stored: StoredFrames) -> StoredFrames:
    if stored.count != job["frames_done"]:
        raise ResultsError(
            f"The results have {stored.count} frames and the job {job['frames_done']}: "
            "download those of this job"
        )
    return stored


def _compared(stored: Iterator[FrameBytes], worker: Recomputation) -> Iterator[FrameDifference | None]:
    """The outcome of each frame; both sides come in the order of the video."""
    mine = next(stored, None)
    for (first, end), frames in worker.ranges():
        is_inside = (
            first == 0
        )  # which frames of the results precede the range is not known before its first one
        for frame in frames:
            while mine is not None and mine.frame_index < frame.frame_index:
                if is_inside:
                    yield FrameDifference(mine.frame_index, "only in the results")
                mine = next(stored, None)
            is_inside = True
            if mine is None or mine.frame_index != frame.frame_index:
                yield FrameDifference(frame.frame_index, "not in the results")
                continue
            what = mine.difference(frame)
            yield None if what is None else FrameDifference(frame.frame_index, what)
            mine = next(stored, None)
        while end is None and mine is not None:
            yield FrameDifference(mine.frame_index, "only in the results")
            mine = next(stored, None)
