"""Draw the results of a job onto its video, and onto its fullest picture, for people to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from av.video.frame import VideoFrame
from video_jobs_client import Frame, Results
from video_jobs_client.annotate import SoundError, annotate_video, annotated_picture
from video_jobs_client.models import JobResource
from video_worker.video.video_reader import VideoReader


def write_annotated_frame(video: Path, frames: Sequence[Mapping[str, Any]], target: Path) -> Path | None:
    """Write the frame with the most found on it as PNG; None where nothing was found."""
    best = max(frames, key=_found_on, default=None)
    if best is None or not _found_on(best):
        return None
    with VideoReader(video) as reader:
        picture = next(reader.frames(first=best["frame_index"])).image
    if picture is None:
        return None
    target.parent.mkdir(parents=True, exist_ok=True)
    frame = Frame(best["frame_index"], None, best["result"], best.get("track_ids"))
    annotated_picture(VideoFrame.from_ndarray(picture, "bgr24"), frame).save(target)
    return target


def write_annotated_video(
    video: Path, job: JobResource, frames: Sequence[Mapping[str, Any]], target: Path
) -> None:
    """Write the video with all that was found on it, and with its sound if MP4 can hold it.

    Frames have their ``timestamp_ms``, and their ``track_ids`` if the tracks are to be shown.

    Raises
    ------
    AnnotationError
        If the pictures of the video have no times of their own.
    """
    page = {
        "results": frames,
        "timestamps_ms": [frame["timestamp_ms"] for frame in frames],
        "track_ids": [frame.get("track_ids") for frame in frames],
    }
    results = Results.of_job(job, [page])
    try:
        annotate_video(video, results, target)
    except SoundError:
        annotate_video(video, results, target, has_sound=False)


def _found_on(frame: Mapping[str, Any]) -> int:
    result = frame["result"]
    return len(result.get("detections", [])) + len(result.get("blocks", []))
