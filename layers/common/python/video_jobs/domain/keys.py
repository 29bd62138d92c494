"""The keys of a job's files in the storage."""

from __future__ import annotations

from pathlib import PurePosixPath

from video_jobs.domain.errors import InvalidKeyError
from video_jobs.domain.job import is_job_id

JOBS_PREFIX = "video_jobs/"
PARTS_PREFIX = "job_parts/"
VIDEO_SUFFIX = ".mp4"
PART_SUFFIX = ".jsonl"


def video_key(job_id: str) -> str:
    """Key of the uploaded video."""
    return f"{JOBS_PREFIX}{job_id}{VIDEO_SUFFIX}"


def results_key(job_id: str) -> str:
    """Key of the results file (`domain.results` documents its format)."""
    return f"{JOBS_PREFIX}{job_id}_results.json"


def results_index_key(job_id: str) -> str:
    """Key of the index, which has the byte offset of each frame in the results file."""
    return f"{JOBS_PREFIX}{job_id}_results.idx"


def summary_key(job_id: str) -> str:
    """Key of the summary (`domain.summary`)."""
    return f"{JOBS_PREFIX}{job_id}_summary.json"


def tracks_key(job_id: str) -> str:
    """Key of the tracks file (`domain.tracks`)."""
    return f"{JOBS_PREFIX}{job_id}_tracks.json"


def tracks_index_key(job_id: str) -> str:
    """Key of the index, which has the byte offset of each frame in the tracks file."""
    return f"{JOBS_PREFIX}{job_id}_tracks.idx"


def output_keys(job_id: str) -> tuple[str, ...]:
    """Keys of all files that a worker stores when it completes a job."""
    keys = (results_key, results_index_key, summary_key, tracks_key, tracks_index_key)
    return tuple(key(job_id) for key in keys)


def parts_prefix(job_id: str) -> str:
    """Prefix of the keys of a job's parts."""
    return f"{PARTS_PREFIX}{job_id}/"


def part_key(job_id: str, run_id: str, number: int) -> str:
    """Key of one finished part; ``run_id`` is a hash of all that its bytes depend on."""
    return f"{parts_prefix(job_id)}{run_id}/{number:06d}{PART_SUFFIX}"


def video_index_key(job_id: str, run_id: str) -> str:
    """Key of the video's index, for workers that compute some parts from the bytes that they need."""
    return f"{parts_prefix(job_id)}{run_id}/video.index"


def job_id_of_video(key: str) -> str | None:
    """The id of the job whose video has this key, or None if it is not the key of a video."""
    job_id = key.removeprefix(JOBS_PREFIX).removesuffix(VIDEO_SUFFIX)
    return job_id if is_job_id(job_id) and video_key(job_id) == key else None


def checked_key(key: str) -> str:
    """Return ``key`` if it is a plain relative path.

    Raises
    ------
    InvalidKeyError
        If it is absolute, or contains ``..``, ``.``, empty segments, backslashes or control characters.
    """
    segments = key.split("/")
    if any(part in ("", ".", "..") for part in segments) or PurePosixPath(key).is_absolute():
        raise InvalidKeyError(f"Not a relative path inside the storage: {key!r}")
    if "\\" in key or any(ord(character) < 32 for character in key):
        raise InvalidKeyError(f"A storage key may not hold backslashes or control characters: {key!r}")
    return key
