"""The parts of a job's results: which run they belong to, and what is in their files.

A part is a fixed number of candidates: pictures that the job's options select, whether they can be decoded
or not. Its key contains the id of its run, a hash of everything that its bytes depend on. Its file is never
changed after it was stored. It is UTF-8 JSON lines: one line for each frame, then one line of notes::

    [166833,{"frame_index":5,"result":{...}}]
    {"part":{"first_lost":null,"lost":0,"other_sizes":[]}}

The number is the frame's time in microseconds. What stands between the first comma of a line and its last
bracket goes into the results as it is.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

from video_jobs.domain.job import Job, JobOptions

PART_FORMAT = 2
"""Of a part's file; 1 had neither times nor notes."""

NOTES_START = b'{"part":'
"""How the last line of a part begins, and no other one."""


def fingerprint_id_of(job: Job) -> str | None:
    """Identifies the models and libraries of the newest run; None if no worker has opened the video yet."""
    return None if job.fingerprint is None else job.fingerprint.get("id")


def run_id(job: Job, fingerprint_id: str) -> str:
    """A hash of everything that the bytes of a job's parts depend on.

    Options of later releases count only if they are chosen, so that parts of the release before are found.
    """
    decisive = {
        "format": PART_FORMAT,
        "fingerprint": fingerprint_id,
        "version": job.upload.version,
        "pipeline_id": job.options.pipeline_id,
        "frame_stride": job.options.frame_stride,
        "max_frames": job.options.max_frames,
        "part_frames": job.part_frames,
    }
    text = json.dumps(decisive | _chosen(job.options), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def time_and_frame(line: bytes) -> tuple[int, bytes]:
    """The time of a frame in microseconds, and the frame as it is in the results, from a line of a part."""
    comma, end = line.index(b","), line.rindex(b"]")
    return int(line[1:comma]), line[comma + 1 : end]


def _chosen(options: JobOptions) -> dict[str, Any]:
    later = asdict(options.text) | asdict(options.objects) | {"region": options.region}
    sampling = asdict(options.sampling)
    del sampling["stride"]
    return {name: value for name, value in (later | sampling).items() if value not in (None, ())}
