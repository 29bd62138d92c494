"""Quote each job before it is submitted, run it, and compare."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from random import Random
from statistics import median, quantiles
from typing import Any, cast

from video_jobs_client import Client, Job
from video_jobs_client.models import Quote, QuoteBasis
from video_jobs_client.options import Options, QuoteOptions
from video_jobs_client.uploads import UploadSettings

from gpu_worker_image.models.street_demo_training import SHIPPED
from gpu_worker_image.models.street_demo_training.clips import FPS, street_clip, write_mp4
from tests.proofs.report import ROOT
from tests.support.worker_world import SUPPORT
from tools.local_stack.stack import LocalStack

PACED = "paced"
_BY_FORM = UploadSettings(method="form")
SIZE = (640, 360)
LENGTHS = (20, 50, 100, 200)
CHOICES: Sequence[Mapping[str, Any]] = (
    {},
    {"frame_stride": 2},
    {"frame_stride": 5},
    {"frames_per_second": 1},
    {"max_frames": 15},
    {"start_ms": 500, "end_ms": 1800},
)
LEARNED = 6
"""So many jobs are run first; their quotes do not count."""

BURST = 10
_PAUSE_S = 0.3
_JOB_TIMEOUT_S = 300


@dataclass(frozen=True, slots=True)
class Plan:
    """A job that is to be run: one of the videos, with options."""

    frames: int
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was quoted for a job, and what was seen; all in seconds."""

    plan: Plan
    quoted_s: float
    seen_s: float
    p50_s: float
    p95_s: float
    end_s: float


@dataclass
class Outcomes:
    """Those of jobs that came alone, and of a burst."""

    alone: list[Outcome] = field(default_factory=list)
    burst: list[Outcome] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """A table in Markdown."""
        yield "| jobs | compute time, median error | 9 of 10 within | ended within p50 | within p95 |"
        yield "|---|---|---|---|---|"
        yield from (
            f"| {len(outcomes)} {name} | {median(errors(outcomes)):.0%} "
            f"| {quantiles(errors(outcomes), n=10)[-1]:.0%} "
            f"| {share(outcomes, 'p50_s'):.0%} | {share(outcomes, 'p95_s'):.0%} |"
            for name, outcomes in (("one by one", self.alone), ("at once", self.burst))
        )


def errors(outcomes: Sequence[Outcome]) -> list[float]:
    """How much the quoted compute time differs from the seen one, relative to that."""
    return [abs(one.quoted_s / one.seen_s - 1) for one in outcomes]


def share(outcomes: Sequence[Outcome], name: str) -> float:
    """The share of the jobs that ended within what was quoted."""
    within: list[bool] = [one.end_s <= getattr(one, name) for one in outcomes]
    return within.count(True) / len(within)


def stack_of(folder: Path, pipeline_id: str) -> LocalStack:
    """A stack with one worker for a pipeline of the image, or for `PACED`: 20 milliseconds a frame."""
    worker = {"MODEL_PATH": str(SHIPPED)}
    functions: dict[str, str] = {}
    if pipeline_id == PACED:
        folders = ("", "layers/common/python", "gpu_worker_image/src")
        worker["PYTHONPATH"] = os.pathsep.join(str(ROOT / one) for one in folders)
        worker["PLUGINS_DIR"] = str(SUPPORT / "pacing/plugins")
        worker["PIPELINES_DIR"] = str(SUPPORT / "pacing/pipelines")
        functions["PIPELINE_IDS"] = PACED
    log_file = folder / "local-stack.log"
    return LocalStack(log_file=log_file, worker_settings=worker, function_settings=functions)


def run_quotes(stack: LocalStack, folder: Path, pipeline_id: str, seed: int = 1) -> Outcomes:
    """Run all plans in a random order, the first ones without a quote, then a burst of some."""
    videos = {frames: _video(folder / f"{frames}.mp4", frames) for frames in LENGTHS}
    plans = [Plan(*chosen) for chosen in product(LENGTHS, CHOICES)]
    random = Random(seed)
    random.shuffle(plans)
    runs, outcomes = _Runs(Client(stack.url), videos, pipeline_id), Outcomes()
    for number, plan in enumerate(random.sample(plans, LEARNED) + plans):
        (outcome,) = runs.finish([runs.begin(plan, is_quoted=number >= LEARNED)])
        outcomes.alone += [outcome] if number >= LEARNED else []
    outcomes.burst = runs.finish(runs.begin_at_once(random.sample(plans, BURST)))
    return outcomes


@dataclass(frozen=True, slots=True)
class _Begun:
    plan: Plan
    job: Job
    at_s: float
    quote: Quote


class _Runs:
    def __init__(self, client: Client, videos: Mapping[int, Path], pipeline_id: str) -> None:
        self._client, self._videos, self._pipeline_id = client, videos, pipeline_id
        self._ended = 0

    def begin(self, plan: Plan, *, is_quoted: bool = True) -> _Begun:
        """Ask what a job will take, and submit it."""
        content = self._videos[plan.frames].read_bytes()
        options = {"pipeline_id": self._pipeline_id, **plan.options}
        facts = {"size_bytes": len(content), "duration_ms": 1000 * plan.frames / FPS}
        shape = {"average_frame_rate": FPS, "width": SIZE[0], "height": SIZE[1]}
        asked = cast(QuoteOptions, {**facts, **shape, **options})
        quote = self._client.quote(**asked)
        assert not is_quoted or quote.compute_seconds is not None, quote
        job = self._client.analyse(content, upload=_BY_FORM, **cast(Options, options))
        return _Begun(plan, job, time.time(), quote)

    def begin_at_once(self, plans: Sequence[Plan]) -> list[_Begun]:
        """Begin several; the next one only when the queue has the one before, so that its quote knows it."""
        begun: list[_Begun] = []
        for plan in plans:
            self._until(lambda: self._seen() >= self._ended + len(begun))
            begun.append(self.begin(plan))
        return begun

    def finish(self, begun: Sequence[_Begun]) -> list[Outcome]:
        """Wait for the jobs, and until their speeds are known."""
        outcomes = [self._outcome(one) for one in begun]
        self._ended += len(begun)
        self._until(lambda: self._based_on().jobs >= self._ended)
        return outcomes

    def _seen(self) -> int:
        """Jobs that were measured, run or wait."""
        known = self._based_on()
        return known.jobs + known.jobs_waiting + known.jobs_running

    def _based_on(self) -> QuoteBasis:
        return self._client.quote(size_bytes=1, pipeline_id=self._pipeline_id).based_on

    def _until(self, is_so: Callable[[], bool]) -> None:
        gives_up_at = time.monotonic() + _JOB_TIMEOUT_S
        while not is_so():
            assert time.monotonic() < gives_up_at, "a job was lost, or its speed"
            time.sleep(_PAUSE_S)

    def _outcome(self, begun: _Begun) -> Outcome:
        job, quote = begun.job.wait(poll_s=_PAUSE_S).resource, begun.quote
        assert job.usage is not None
        return Outcome(
            plan=begun.plan,
            quoted_s=quote.compute_seconds or 0.0,
            seen_s=job.usage.compute_seconds,
            p50_s=quote.seconds_to_end.p50 or 0.0,
            p95_s=quote.seconds_to_end.p95 or 0.0,
            end_s=job.updated_at.timestamp() - begun.at_s,
        )


def _video(path: Path, frames: int) -> Path:
    write_mp4(path, (image for image, _ in street_clip(SIZE, frames)), FPS, SIZE)
    return path
