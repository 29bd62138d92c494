"""Compute parts of a job once more: ``python -m video_worker.recompute VIDEO < task.json``.

Standard input is a `Task`. Standard output is lines: first the fingerprint of this worker, then for each
range of parts a line that names it, followed by its frames with their times, as the results have both::

    {"fingerprint":{...}}
    {"parts":[0,1]}
    [0,{"frame_index":0,"result":{...}}]
    [33.367,{"frame_index":1,"result":{...}}]

An error is the last line: ``{"error":{"code":"...","message":"..."}}``.
The worker's settings are read from the environment, as its runner does; AWS is not needed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import msgspec
from aws_lambda_powertools import Logger
from video_jobs.domain.errors import InvalidRequestError, VideoJobsError
from video_jobs.domain.job import DEFAULT_PART_FRAMES, JobOptions
from video_jobs.domain.results import milliseconds
from video_jobs.settings import WorkerSettings

from video_worker.analysis import AnalysedFrame, AnalysisService, RunRequest
from video_worker.isolation.limits import JobLimits
from video_worker.isolation.service import AnalysisStartError, IsolatedAnalysisService
from video_worker.results_serializer import part_line, read_frame


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be computed.

    Attributes
    ----------
    job
        The job resource, of which the options are read.
    parts
        Ranges of parts: the first one, and the one before which the range ends, or None for the end of the
        video.
    part_frames
        The length of the job's parts, as the service's ``PART_FRAMES`` says.
    """

    job: JobOptions
    parts: list[tuple[int, int | None]]
    part_frames: int = DEFAULT_PART_FRAMES


def recomputed(service: AnalysisService, task: Task, video: Path) -> Iterator[bytes]:
    """The lines of the output, without errors.

    A part depends on nothing before it. If ``max_frames`` ends the job and pictures were lost before a range,
    its last frames are left out: how many frames there are before it is not known, only how many at most.
    """
    yield _json_line({"fingerprint": service.fingerprint(task.job.pipeline_id, task.job.text)})
    whole = RunRequest.of(video, task.job, task.part_frames)
    for first, end in task.parts:
        yield _json_line({"parts": [first, end]})
        before = first * task.part_frames
        # a video that is not divisible does not end where the range does
        most = None if end is None else end * task.part_frames - before
        request = replace(whole, first_part=first, frames_before=before, end_part=end)
        with closing(service.run(request)) as run:
            frames = (item for item in run if isinstance(item, AnalysedFrame))
            yield from map(_frame_line, islice(frames, most))


def _frame_line(frame: AnalysedFrame) -> bytes:
    stored, _ = read_frame(part_line(frame))
    return b"[%b,%b]\n" % (milliseconds(stored.time_us).encode(), stored.line)


def _json_line(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def main() -> int:
    """Write the lines as they come; the exit code is 0 if all of them were written."""
    parser = argparse.ArgumentParser(
        "python -m video_worker.recompute", description="Compute parts once more."
    )
    parser.add_argument("video", type=Path, help="the video of the job; standard input is the task")
    video = parser.parse_args().video.resolve()
    with _output() as output:
        try:
            for line in _lines(video, sys.stdin.buffer.read()):
                output.write(line)
                output.flush()
        except (VideoJobsError, AnalysisStartError) as error:
            output.write(_error_line(error))
            return 1
    return 0


def _lines(video: Path, text: bytes) -> Iterator[bytes]:
    task, settings = _task(text), WorkerSettings.from_environment()
    limits, logger = JobLimits.from_settings(settings), Logger(stream=sys.stderr)
    with IsolatedAnalysisService(settings, limits, logger) as service:
        yield from recomputed(service, task, video)


def _error_line(error: VideoJobsError | AnalysisStartError) -> bytes:
    code = error.code if isinstance(error, VideoJobsError) else "not_started"
    return _json_line({"error": {"code": code, "message": str(error)}})


def _task(text: bytes) -> Task:
    try:
        return msgspec.json.decode(text, type=Task)
    except msgspec.DecodeError as error:
        raise InvalidRequestError(f"The task is not valid: {error}") from None


def _output() -> BinaryIO:
    """Standard output for the lines alone: what libraries and other processes print goes to the errors."""
    own = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return os.fdopen(own, "wb")


if __name__ == "__main__":
    sys.exit(main())
