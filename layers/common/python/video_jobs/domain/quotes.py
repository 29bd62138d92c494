"""What a job would take, from what earlier jobs took and what waits before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from math import ceil, sqrt

from video_jobs.domain.fleet import FleetLimits, FleetRecord, Workload, plan_fleet
from video_jobs.domain.job import JobOptions
from video_jobs.domain.speeds import JobLength, Speed, asked_text, size_class_of, spacing_of
from video_jobs.domain.usage import Usage

WORKER_START = timedelta(minutes=6)
"""How long a GPU instance takes until its worker asks for a job; it is not measured."""

MEDIAN, HIGH = 0.5, 0.95
DEVIATIONS_TO_HIGH = 1.645
"""So many standard deviations above the mean is the 95th percentile of a normal distribution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedVideo:
    """What a client says of a video; None is what it does not know."""

    size_bytes: int | None = None
    duration_ms: float | None = None
    average_frame_rate: float | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LikelyVideo:
    """The video that is reckoned with.

    Attributes
    ----------
    size_bytes
        None if the client did not give it, and no video was measured whose length is known.
    frames
        How many frames the options choose of it.
    assumed
        Which of the others the client did not give; they are those of the average video that was measured.
    """

    size_bytes: float | None
    duration_ms: float
    average_frame_rate: float
    frames: int
    assumed: tuple[str, ...] = ()

    @classmethod
    def of(cls, claimed: ClaimedVideo, options: JobOptions, speed: Speed) -> LikelyVideo | None:
        """What the client says, filled up from what was measured; None if that does not suffice."""
        measured_ms = speed.sum_of("video_ms")
        bytes_a_ms = speed.sum_of("video_bytes") / measured_ms if measured_ms else None
        rate = claimed.average_frame_rate
        if rate is None and measured_ms:
            rate = 1000 * speed.sum_of("video_pictures") / measured_ms
        size: float | None = claimed.size_bytes
        duration_ms = claimed.duration_ms
        if duration_ms is None and size is not None and bytes_a_ms:
            duration_ms = size / bytes_a_ms
        if duration_ms is None or rate is None:
            return None
        if size is None and bytes_a_ms:
            size = duration_ms * bytes_a_ms
        known = {"size_bytes": size, "duration_ms": duration_ms, "average_frame_rate": rate}
        return cls(
            size_bytes=size,
            duration_ms=duration_ms,
            average_frame_rate=rate,
            frames=_frames_chosen(duration_ms, rate, options),
            assumed=tuple(
                name for name, value in known.items() if value is not None and getattr(claimed, name) is None
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """What is before a new job.

    Attributes
    ----------
    waiting, held
        Messages of the jobs queue that nobody holds, and that a worker holds.
    workers
        How many workers there will be.
    starts_in_s
        How long it takes until the first of them works; 0 if one does.
    """

    waiting: int
    held: int
    workers: int
    starts_in_s: float = 0.0

    @classmethod
    def of_fleet(cls, seen: Workload, record: FleetRecord, limits: FleetLimits, now: datetime) -> QueueState:
        """With the workers that the fleet will have once the new job waits, too."""
        with_new = Workload(waiting=(seen.waiting or 0) + 1, held=seen.held)
        planned = plan_fleet(with_new, record.decision, limits, now).workers
        starts_in = _start_of_first(seen, record, now).total_seconds()
        return cls(waiting=seen.waiting or 0, held=seen.held, workers=max(1, planned), starts_in_s=starts_in)

    @classmethod
    def of_unmanaged(cls, seen: Workload) -> QueueState:
        """With as many workers as hold a job: nobody knows of others."""
        return cls(waiting=seen.waiting or 0, held=seen.held, workers=max(1, seen.held))

    def wait(self, length: JobLength) -> tuple[float, float]:
        """How long a new job waits: the mean and the standard deviation, in seconds.

        A job that a worker holds has, on average, the mean residual life of a job still before it.
        """
        held = min(self.held, self.workers)
        waiting = self.waiting + self.held - held
        if waiting + held < self.workers:
            return self.starts_in_s, 0.0
        left_s = (length.mean_s**2 + length.deviation_s**2) / (2 * length.mean_s) if length.mean_s else 0.0
        work_s = waiting * length.mean_s + held * left_s
        mean_s = max(0.0, work_s - (self.workers - 1) * left_s) / self.workers
        deviation_s = sqrt(waiting * length.deviation_s**2 + held * left_s**2) / self.workers
        return self.starts_in_s + mean_s, deviation_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a job would take and cost; None is what nobody knows.

    Attributes
    ----------
    compute_s
        How long a worker would be occupied.
    end_s
        How long it takes until the job ends, from the moment its video has arrived: by the share of jobs that
        end within this time (`MEDIAN`, `HIGH`).
    video, speed, queue
        What the quote rests on.
    """

    compute_s: float | None = None
    cost_usd: Decimal | None = None
    end_s: Mapping[float, float] | None = None
    video: LikelyVideo | None = None
    speed: Speed | None = None
    queue: QueueState


def quote(claimed: ClaimedVideo, options: JobOptions, speeds: Sequence[Speed], queue: QueueState) -> Quote:
    """What a job would take, without its cost, from all that was measured of its pipeline."""
    newest = _newest(speeds, asked_text(options.text))
    speed = _fitting(newest, claimed, options)
    video = None if speed is None else LikelyVideo.of(claimed, options, speed)
    length = JobLength.of(newest)
    if speed is None or video is None or length is None:
        return Quote(speed=speed, queue=queue)
    median_s, high_s = (_compute_s(share, video, options, speed) for share in (MEDIAN, HIGH))
    wait_s, deviation_s = queue.wait(length)
    spread_s = sqrt((high_s - median_s) ** 2 + (DEVIATIONS_TO_HIGH * deviation_s) ** 2)
    end_s = {MEDIAN: wait_s + median_s, HIGH: wait_s + median_s + spread_s}
    return Quote(compute_s=median_s, end_s=end_s, video=video, speed=speed, queue=queue)


def price_of(compute_s: float | None, usd_per_hour: Decimal | None) -> Decimal | None:
    """The cost of compute time; None if the time or the price is not known."""
    if compute_s is None:
        return None
    return Usage(compute_ms=round(compute_s * 1000)).priced(usd_per_hour).cost_usd


def _newest(speeds: Sequence[Speed], text: str) -> list[Speed]:
    """Those of the fingerprint that a job with this choice of text had last."""
    fitting = [speed for speed in speeds if text in speed.texts]
    if not fitting:
        return []
    last = max(fitting, key=lambda speed: speed.measured_at)
    return [speed for speed in fitting if speed.fingerprint == last.fingerprint]


def _fitting(speeds: Sequence[Speed], claimed: ClaimedVideo, options: JobOptions) -> Speed | None:
    """The one for the size of the pictures; if the client does not know it, the one of the most jobs."""
    if claimed.width is None or claimed.height is None:
        return max(speeds, key=lambda speed: speed.sum_of("weight"), default=None)
    wanted = size_class_of(claimed.width, claimed.height, options.region)
    return next((speed for speed in speeds if speed.size_class == wanted), None)


def _frames_chosen(duration_ms: float, rate: float, options: JobOptions) -> int:
    end_ms = duration_ms if options.end_ms is None else min(duration_ms, options.end_ms)
    chosen_s = max(0.0, end_ms - (options.start_ms or 0.0)) / 1000
    frames = ceil(round(chosen_s * rate) / spacing_of(options, rate))
    return frames if options.max_frames is None else min(frames, options.max_frames)


def _compute_s(share: float, video: LikelyVideo, options: JobOptions, speed: Speed) -> float:
    fetched = speed.sum_of("fetched_bytes")
    fetch_ms = (video.size_bytes or 0) * speed.sum_of("fetch_ms") / fetched if fetched else 0.0
    spacing = spacing_of(options, video.average_frame_rate)
    return (speed.fixed_ms(share) + fetch_ms + video.frames * speed.frame_ms(share, spacing)) / 1000


def _start_of_first(seen: Workload, record: FleetRecord, now: datetime) -> timedelta:
    """How long until a worker works: one that holds a job does, and one that was asked for long ago."""
    decision = record.decision
    if not seen.held and decision.workers == 0:
        return WORKER_START
    if seen.held or decision.raised_at is None:
        return timedelta()
    return max(timedelta(), decision.raised_at + WORKER_START - now)
