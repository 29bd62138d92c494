"""What is played: sizes, patterns, Spot, one long video, and one owner beside another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import ceil
from typing import Any

from video_jobs.domain.fleet import FleetLimits

from tools.fleet.arrivals import Load
from tools.fleet.figures import LONG_CLIP, figures
from tools.fleet.jobs import Job
from tools.fleet.model import FleetModel, Policies
from tools.fleet.outcome import outcome
from tools.fleet.quotas import uses

Row = dict[str, Any]
SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
SAMPLED_FROM = 1_000_000
"""From so many jobs a day, only the busiest hour is played."""

PATTERNS = ("steady", "wave", "burst", "flood")
WORKERS = (1, 2, 5, 10, 25, 50, 100)
LOOKS_S = (1, 2, 4, 5, 10, 20)
LONG_HOURS = 10
_PEAK = 1.8
"""The highest rate of a daily wave, in mean rates."""

_DAY_JOBS = 10_000
_SPOT_HOURS = 4.0


def limits_for(load: Load) -> FleetLimits:
    """As an operator would choose: a fifth more than the busiest hour of a daily wave needs."""
    return FleetLimits(max_workers=ceil(1.2 * _PEAK * load.mean_workers) + 1)


def before(policies: Policies) -> Policies:
    """The same with the policies of before: no turns, no help."""
    return replace(policies, has_turns=False, has_help=False)


def by_size(jobs_a_day: int) -> Row:
    """A day with a wave, or its busiest hour."""
    sampled = jobs_a_day >= SAMPLED_FROM
    first_hour, hours = (11.5, 1.0) if sampled else (0.0, 24.0)
    load = Load(pattern="wave", jobs_a_day=jobs_a_day, first_hour=first_hour, hours=hours)
    first = round(_PEAK * load.mean_workers) if sampled else 0
    policies = Policies(limits=limits_for(load), first_workers=first, window_s=3600.0 if sampled else None)
    model = FleetModel(load.jobs(), policies).run()
    return _row(load, model) | {"uses": uses(model), "is_sampled": sampled}


def by_pattern(pattern: str) -> list[Row]:
    """A day of a pattern, with the policies of now and of before."""
    load = Load(pattern=pattern, jobs_a_day=_DAY_JOBS)
    now = Policies(limits=limits_for(load))
    rows = []
    for name, policies in (("now", now), ("before", before(now))):
        model = FleetModel(load.jobs(), policies).run()
        series = [(one.at_s, one.workers, one.waiting) for one in model.samples[::5]]
        rows.append(_row(load, model) | {"policies": name, "series": series})
    return rows


def on_spot() -> list[Row]:
    """A day on machines that stay, and on machines that Spot takes away much too often."""
    load = Load(pattern="wave", jobs_a_day=_DAY_JOBS)
    limits = limits_for(load)
    rows = []
    for hours in (None, _SPOT_HOURS):
        model = FleetModel(load.jobs(), Policies(limits=limits, machine_hours=hours)).run()
        rows.append(_row(load, model) | {"machine_hours": hours})
    return rows


def long_video(workers: int, *, boots: bool, look_s: float | None = None) -> float:
    """After how many seconds a video of ten hours is done, with so many workers and nothing else to do."""
    known = figures()
    job = Job("a", "few", 0.0, LONG_HOURS * 3600 * known.frames_a_second, known.frame_s[LONG_CLIP], 256)
    known = replace(known, look_s=look_s or known.look_s)
    start_s = known.start_s if boots else 0.0
    FleetModel([job], Policies(fixed_workers=workers, fixed_start_s=start_s, figures=known)).run()
    return job.ended_s


def long_videos() -> Row:
    """How many times as fast several workers are as one, with and without their start."""
    one = {boots: long_video(1, boots=boots) for boots in (False, True)}
    times = {boots: [one[boots] / long_video(n, boots=boots) for n in WORKERS] for boots in one}
    looks = [one[True] / long_video(50, boots=True, look_s=look_s) for look_s in LOOKS_S]
    return {"ready": times[False], "booting": times[True], "looks": looks, "one_s": one[True]}


def two_owners(policies: Policies) -> Row:
    """One owner submits 1,000 jobs, and a minute later another one submits one: how many go before it?"""
    known = figures()
    job: Callable[[str, float], Job] = lambda owner, at_s: Job(  # noqa: E731
        owner, "few", at_s, 60 * known.frames_a_second, known.mean_frame_s, known.part_frames
    )
    many, single = [job("a", 0.0) for _ in range(1000)], job("b", 60.0)
    FleetModel([*many, single], policies).run()
    between = [one for one in many if single.arrives_s <= one.started_s < single.started_s]
    return {"before_it": len(between), "wait_s": single.wait_s}


def play_all(say: Callable[[str], None]) -> Row:
    """Everything; a word to ``say`` for each step."""
    sizes, patterns = [], []
    for jobs_a_day in SIZES:
        say(f"{jobs_a_day:,} jobs a day")
        sizes.append(by_size(jobs_a_day))
    for pattern in PATTERNS:
        say(pattern)
        patterns += by_pattern(pattern)
    say("Spot, a long video, two owners")
    owners = {"now": two_owners(Policies()), "before": two_owners(before(Policies()))}
    return {
        "sizes": sizes,
        "patterns": patterns,
        "spot": on_spot(),
        "long": long_videos(),
        "owners": owners,
    }


def _row(load: Load, model: FleetModel) -> Row:
    facts = {"pattern": load.pattern, "jobs_a_day": load.jobs_a_day}
    return facts | {"max_workers": model.policies.limits.most} | outcome(model)
