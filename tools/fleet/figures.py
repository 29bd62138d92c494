"""What the simulation takes for granted: measured by `make bench` (bench.json), or read (figures.json)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import mean
from typing import Any

from video_jobs.domain.job import DEFAULT_PART_FRAMES

_FOLDER = Path(__file__).parent
_ENGINE = "ppocr"
_TINY_FRAMES = 3
"""Of a tiny job of the bench's local stack."""

LONG_CLIP = "b: cars 1080p, changing text"


def read(name: str) -> Any:
    """A JSON file of this folder."""
    return json.loads((_FOLDER / name).read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Times in seconds, sizes in MB, as the simulation uses them.

    Attributes
    ----------
    frame_s
        What a worker needs for a frame, by clip.
    start_s
        From asking for a worker to its first job.
    a_job_s
        What a job takes besides its frames and its bytes.
    opening_s
        What a helper takes to start in the middle of a video.
    frame_mb
        Of the video's file.
    look_s
        After this the holder of a job sees that its messages for help were claimed.
    """

    frame_s: dict[str, float]
    start_s: float
    a_job_s: float
    opening_s: float
    frame_mb: float
    fetch_mb_s: float
    upload_mb_s: float
    fold_s: float
    close_s: float
    look_s: float
    frames_a_second: int
    part_frames: int = DEFAULT_PART_FRAMES

    @property
    def mean_frame_s(self) -> float:
        """Of all clips."""
        return mean(self.frame_s.values())

    def fetch_s(self, frames: float) -> float:
        """How long it takes to fetch so many frames of a video."""
        return frames * self.frame_mb / self.fetch_mb_s


@cache
def figures() -> Figures:
    """The figures of the files."""
    bench = read("bench.json")
    known = {name: entry["value"] for name, entry in read("figures.json").items()}
    pull_s = known["image_gb"] * known["pull_s_a_gb"]
    frame_s = {row["clip"]: row[f"{_ENGINE}_ms"] / 1000 for row in bench["speed and words"]}
    tiny_s = 60 / bench["service"][0]["jobs_a_minute"]
    return Figures(
        frame_s=frame_s,
        start_s=known["place_s"] + known["boot_s"] + pull_s + bench["start"][0][f"{_ENGINE}_s"],
        a_job_s=tiny_s - _TINY_FRAMES * bench["limits"][0]["detect_ms"] / 1000,
        opening_s=bench["seeking"][0]["start_ms"] / 1000,
        frame_mb=known["video_mbit_s"] / 8 / known["frames_a_second"],
        fetch_mb_s=known["fetch_mb_s"],
        upload_mb_s=known["upload_mbit_s"] / 8,
        fold_s=known["fold_ms_a_frame"] / 1000,
        close_s=known["close_ms_a_frame"] / 1000,
        look_s=known["look_s"],
        frames_a_second=known["frames_a_second"],
    )
