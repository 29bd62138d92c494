"""How fast the workers of this deployment were, as sums and histograms that every ended job adds to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import log2, sqrt

from video_jobs.domain.histogram import bucket_of, quantile
from video_jobs.domain.job import Job, JobOptions
from video_jobs.domain.region import Region
from video_jobs.domain.text_engines import TextChoice

SPEEDS_KEPT = timedelta(days=180)
"""How long speeds are kept after the last job that added to them."""

HALVES_EVERY = timedelta(days=180)
"""What was measured in one such period counts half as much as what is measured in the next."""

SIZE_CLASSES: Mapping[str, int] = {
    name: width * height
    for name, width, height in (
        ("640x360", 640, 360),
        ("1280x720", 1280, 720),
        ("1920x1080", 1920, 1080),
        ("3840x2160", 3840, 2160),
    )
}
"""Classes of pictures by their greatest number of pixels."""

LARGER = "larger"
"""The class of all pictures with more pixels."""

_FIRST_PERIOD = datetime(2026, 1, 1, tzinfo=UTC)
_MOST_FRAMES_OF_A_JOB = 256
"""Short jobs begin and end more than they go on, so they count less; a long one counts no more than this."""

_WIDEST_SPACING = 7
_MICROSECONDS = 1000

Counters = Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTiming:
    """How long one attempt took that completed its job.

    Attributes
    ----------
    compute_ms
        From the claim to the end.
    fetch_ms, analysis_ms
        To fetch the video, and to analyse its frames; both are in ``compute_ms``.
    frames
        Frames that this attempt analysed.
    """

    compute_ms: int
    fetch_ms: int
    analysis_ms: int
    frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """What jobs of one pipeline took, with one fingerprint and one class of pictures.

    Attributes
    ----------
    texts
        What these jobs chose for the reading of text (`asked_text`); the fingerprint depends on it.
    measured_at
        When the last of them ended.
    counters
        Sums and histograms by their names. All but ``jobs`` and ``frames`` are weighted by `HALVES_EVERY`.
    """

    pipeline_id: str
    fingerprint: str
    size_class: str
    texts: frozenset[str]
    measured_at: datetime
    counters: Counters = field(hash=False)

    @classmethod
    def of_job(cls, job: Job, timing: JobTiming, now: datetime) -> Speed | None:
        """What one completed job adds; None if it analysed nothing, or its video is not known."""
        if job.video is None or job.fingerprint is None or timing.frames == 0:
            return None
        return cls(
            pipeline_id=job.options.pipeline_id,
            fingerprint=str(job.fingerprint["id"]),
            size_class=size_class_of(job.video.width, job.video.height, job.options.region),
            texts=frozenset({asked_text(job.options.text)}),
            measured_at=now,
            counters=_counters_of(job, timing, now),
        )

    def added_to(self, earlier: Speed | None) -> Speed:
        """The sum of what was measured."""
        if earlier is None:
            return self
        return replace(
            self,
            texts=earlier.texts | self.texts,
            counters=Counter(earlier.counters) + Counter(self.counters),
        )

    def sum_of(self, name: str) -> int:
        """A counter, 0 if no job added to it."""
        return self.counters.get(name, 0)

    def frame_ms(self, share: float, spacing: float) -> float:
        """The time for one frame that this share of the jobs did not exceed.

        Jobs count whose frames were about as far apart: by `spacing_of`, the nearest distance that was
        measured, the greater one of two.
        """
        measured = {int(name.partition("_")[0].removeprefix("frame")) for name in self._of("frame")}
        wanted = _spacing_class(spacing)
        nearest = min(measured, key=lambda one: (abs(one - wanted), -one))
        return quantile(self._histogram(f"frame{nearest}"), share) / _MICROSECONDS

    def fixed_ms(self, share: float) -> float:
        """The time that a job takes besides fetching and analysing which this share did not exceed."""
        return quantile(self._histogram("fixed"), share)

    def _histogram(self, name: str) -> Mapping[int, int]:
        return {int(one.rpartition("_")[2]): self.counters[one] for one in self._of(f"{name}_")}

    def _of(self, prefix: str) -> list[str]:
        return [name for name in self.counters if name.startswith(prefix) and name != "frames"]


@dataclass(frozen=True, slots=True)
class JobLength:
    """The mean and the standard deviation of the time that a job takes, in seconds."""

    mean_s: float
    deviation_s: float

    @classmethod
    def of(cls, speeds: list[Speed]) -> JobLength | None:
        """Over all jobs that were measured; None if there was none."""
        weight, total, squares = (
            sum(speed.sum_of(name) for speed in speeds) for name in ("weight", "compute_ms", "compute_ms2")
        )
        if weight == 0:
            return None
        mean = total / weight
        return cls(mean / 1000, sqrt(max(0.0, squares / weight - mean**2)) / 1000)


def size_class_of(width: int, height: int, region: Region | None = None) -> str:
    """The class of the part of the picture that is analysed.

    Examples
    --------
    >>> size_class_of(1080, 1920), size_class_of(3840, 2160, Region(0, 0, 0.5, 0.5))
    ('1920x1080', '1920x1080')
    """
    share = 1.0 if region is None else (region.x2 - region.x1) * (region.y2 - region.y1)
    pixels = width * height * share
    return next((name for name, most in SIZE_CLASSES.items() if pixels <= most), LARGER)


def asked_text(choice: TextChoice) -> str:
    """A job's choice for the reading of text as one word; ``any`` if the workers' settings decide."""
    return " ".join((choice.engine or "any", *choice.languages))


def spacing_of(options: JobOptions, average_frame_rate: float | None) -> float:
    """How many pictures apart the analysed frames are.

    Examples
    --------
    >>> spacing_of(JobOptions(frames_per_second=2), 30), spacing_of(JobOptions(frame_stride=5), 30)
    (15.0, 5.0)
    """
    if options.frames_per_second is None or average_frame_rate is None:
        return float(options.frame_stride)
    return max(1.0, average_frame_rate / options.frames_per_second)


def _spacing_class(spacing: float) -> int:
    """Distances are told apart by doublings: passing pictures over takes time, too."""
    return min(_WIDEST_SPACING, round(log2(spacing)))


def _counters_of(job: Job, timing: JobTiming, now: datetime) -> Counters:
    fixed_ms = max(0, timing.compute_ms - timing.fetch_ms - timing.analysis_ms)
    frame_us = timing.analysis_ms * _MICROSECONDS / timing.frames
    spacing = _spacing_class(spacing_of(job.options, job.video.average_frame_rate if job.video else None))
    sums = {
        "weight": 1,
        "compute_ms": timing.compute_ms,
        "compute_ms2": timing.compute_ms**2,
        "fetch_ms": timing.fetch_ms,
        "fetched_bytes": job.upload.size_bytes or 0,
        **_video_counters(job),
        f"fixed_{bucket_of(fixed_ms)}": 1,
        f"frame{spacing}_{bucket_of(frame_us)}": min(timing.frames, _MOST_FRAMES_OF_A_JOB),
    }
    weight = _weight(now)
    weighted = {name: weight * number for name, number in sums.items() if number}
    return {"jobs": 1, "frames": timing.frames, **weighted}


def _video_counters(job: Job) -> Counters:
    """What is known of a video whose length the file tells."""
    video, size_bytes = job.video, job.upload.size_bytes
    if video is None or not (video.duration_ms and video.frame_count and size_bytes):
        return {}
    return {
        "video_ms": round(video.duration_ms),
        "video_pictures": video.frame_count,
        "video_bytes": size_bytes,
    }


def _weight(now: datetime) -> int:
    """Later periods weigh more, so nothing stored has to be changed for the earlier ones to count less."""
    return int(2 ** max(0, (now - _FIRST_PERIOD) // HALVES_EVERY))
