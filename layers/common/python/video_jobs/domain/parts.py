"""The parts of a job's results: which run they belong to.

A part is a fixed number of candidates: pictures that the job's options select, whether they can be decoded
or not. Its key contains the id of its run, a hash of everything that its bytes depend on.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

from video_jobs.domain.job import Job, JobOptions

PART_FORMAT = 2
"""Of a part's file (`video_worker.results_serializer`); 1 had neither times nor notes."""


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


def _chosen(options: JobOptions) -> dict[str, Any]:
    later = asdict(options.text) | asdict(options.objects) | {"region": options.region}
    sampling = asdict(options.sampling)
    del sampling["stride"]
    return {name: value for name, value in (later | sampling).items() if value not in (None, ())}
