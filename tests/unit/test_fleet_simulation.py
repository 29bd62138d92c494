"""The simulated fleet: nothing is lost, the real rules hold, and queues are as long as theory says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from heapq import heappop, heappush
from math import factorial
from random import Random
from statistics import mean

import pytest
from video_jobs.domain.fleet import FleetLimits
from video_jobs.domain.rules import Rules
from video_jobs.domain.segments import MOST_UNCLAIMED, MOST_WORK

from tools.fleet.arrivals import OWNERS, PATTERNS, Load
from tools.fleet.figures import figures
from tools.fleet.jobs import Help, Job, Piece, Run
from tools.fleet.model import FleetModel, Policies
from tools.fleet.queue import Message, Queue
from tools.fleet.quotes import QuotedModel
from tools.fleet.scenarios import before, limits_for, long_video, two_owners

MINUTE_FRAMES = 1500
ALONE = replace(figures(), a_job_s=0.0, frame_mb=0.0, fold_s=0.0, close_s=0.0)
"""Nothing takes time but the frames."""


def job_of(owner: str, arrives_s: float, minutes: int = 1, frame_s: float = 0.02) -> Job:
    return Job(owner, "few", arrives_s, minutes * MINUTE_FRAMES, frame_s, 256)


class WatchedModel(FleetModel):
    """Notes the most unclaimed messages of a job, and the most messages of an owner, that there were."""

    def __init__(self, jobs: Sequence[Job], policies: Policies) -> None:
        super().__init__(jobs, policies)
        self.most_unclaimed = 0
        self.most_of_an_owner = 0
        self.asked: list[float] = []
        self.queue = self._watched(Queue(self.env))

    def _watched(self, queue: Queue) -> Queue:
        put = queue.put

        def put_and_look(message: Message) -> None:
            put(message)
            self._look_at(message)

        queue.put = put_and_look  # type: ignore[method-assign]
        return queue

    def _look_at(self, message: Message) -> None:
        if isinstance(message, Help):
            self.asked.append(self.env.now)
        helps = Counter(one.job.owner for one in self.queue.messages if isinstance(one, Help))
        jobs = Counter(id(one.job) for one in self.queue.messages if isinstance(one, Help))
        self.most_unclaimed = max(self.most_unclaimed, *jobs.values(), 0)
        owners = {owner: self.turns.sent[owner] + helps[owner] for owner in self.turns.sent}
        self.most_of_an_owner = max(self.most_of_an_owner, *owners.values())


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("has_rules", [True, False])
def test_every_job_ends_once_and_every_worker_goes(pattern: str, has_rules: bool) -> None:
    load = Load(pattern=pattern, jobs_a_day=300)
    policies = Policies(limits=limits_for(load), machine_hours=1.0)
    model = FleetModel(load.jobs(), policies if has_rules else before(policies)).run()
    assert all(job.arrives_s <= job.started_s < job.ended_s and job.run is None for job in model.jobs)
    assert not any(isinstance(message, Job) for message in model.queue.messages)
    assert model.turns.sent.total() == model.turns.waiting == len(model.workers) == 0
    assert model.samples[-1].open_jobs == 0


def test_the_same_seed_gives_the_same_run_and_another_seed_another() -> None:
    def waits(seed: int) -> list[float]:
        load = Load(pattern="wave", jobs_a_day=500, seed=seed)
        policies = Policies(limits=limits_for(load), machine_hours=2.0, seed=seed)
        return [job.wait_s for job in FleetModel(load.jobs(), policies).run().jobs]

    assert waits(1) == waits(1) != waits(2)


@pytest.mark.parametrize(("workers", "busy"), [(1, 0.5), (4, 0.6)])
def test_the_mean_wait_is_that_of_a_queue_with_so_many_servers(workers: int, busy: float) -> None:
    random, at_s, jobs = Random(3), 0.0, []
    for _ in range(40_000):
        at_s += random.expovariate(workers * busy)
        jobs.append(Job("a", "few", at_s, 1, random.expovariate(1.0), 256))
    model = FleetModel(jobs, before(Policies(fixed_workers=workers, figures=ALONE))).run()
    waits = [job.wait_s for job in model.jobs]
    assert waits == pytest.approx(list(waits_of(jobs, workers)), abs=1e-6)
    assert mean(waits) == pytest.approx(erlang_wait(workers, busy), rel=0.1)


def waits_of(jobs: Sequence[Job], servers: int) -> Iterator[float]:
    """The same by recursion: each job goes to the server that is free first."""
    free_s = [0.0] * servers
    for job in jobs:
        start_s = max(job.arrives_s, heappop(free_s))
        heappush(free_s, start_s + job.frame_s)
        yield start_s - job.arrives_s


def erlang_wait(servers: int, busy: float) -> float:
    """The mean wait for M/M/c with a mean service time of 1 (Erlang C)."""
    offered = servers * busy
    all_busy = offered**servers / factorial(servers) / (1 - busy)
    waits = all_busy / (sum(offered**k / factorial(k) for k in range(servers)) + all_busy)
    return waits / (servers - offered)


def test_an_owner_never_has_more_messages_than_his_share() -> None:
    jobs = [job_of(owner, 0.0, minutes=30) for owner in "aaaaaaaaaaabb"]
    model = WatchedModel(jobs, Policies(fixed_workers=12, running_per_owner=4))
    model.run()
    assert model.asked
    assert model.most_of_an_owner == 4


def test_the_oldest_of_an_owner_is_next() -> None:
    jobs = [job_of("a", float(number)) for number in range(40)]
    model = FleetModel(jobs, Policies(fixed_workers=3, running_per_owner=2)).run()
    started = [job.started_s for job in model.jobs]
    assert started == sorted(started)
    running = [sum(one.started_s <= job.started_s < one.ended_s for one in jobs) for job in jobs]
    assert max(running) == 2


def test_another_owners_job_starts_before_the_fifth_of_a_thousand() -> None:
    policies = Policies(limits=FleetLimits(max_workers=4), running_per_owner=4)
    assert two_owners(policies)["before_it"] < 5
    assert two_owners(before(policies))["before_it"] > 900


def test_a_job_asks_for_help_only_if_it_is_long_enough() -> None:
    def asked(parts: int) -> list[float]:
        job = Job("a", "few", 0.0, 256 * parts, 0.02, 256)
        model = WatchedModel([job], Policies(fixed_workers=8))
        model.run()
        return model.asked

    assert not asked(Rules.help_from_parts - 1)
    assert asked(Rules.help_from_parts)


def test_few_messages_ask_for_help_and_each_claim_brings_the_next_one_soon() -> None:
    model = WatchedModel([job_of("a", 0.0, minutes=600)], Policies(fixed_workers=30))
    model.run()
    assert model.most_unclaimed == MOST_UNCLAIMED
    pauses = {round(later - earlier, 6) for earlier, later in zip(model.asked, model.asked[1:], strict=False)}
    assert figures().look_s in pauses


@pytest.mark.parametrize(("frame_s", "parts"), [(0.02, 11), (0.1, 2), (1.0, 1)])
def test_a_segment_is_at_most_a_minute_of_work_or_one_part(frame_s: float, parts: int) -> None:
    job = job_of("a", 0.0, minutes=60, frame_s=frame_s)
    pieces: set[int] = set()
    run, take = job.opened(), Run.take

    class WatchedRun(Run):
        def take(self, most: int) -> Piece | None:
            pieces.add(most)
            return take(self, most)

    job.run = WatchedRun(run.left)
    FleetModel([job], Policies(fixed_workers=2)).run()
    assert parts in pieces
    assert pieces <= {*range(1, parts + 1)}
    assert parts == 1 or parts * 256 * frame_s <= MOST_WORK.total_seconds()


def test_a_lost_machine_costs_only_the_part_in_work() -> None:
    def ended_s(machine_hours: float | None) -> float:
        job = job_of("a", 0.0, minutes=600)
        limits = FleetLimits(max_workers=1, spare=timedelta(days=1))
        policies = Policies(limits=limits, machine_hours=machine_hours, figures=ALONE, seed=5)
        return FleetModel([job], policies).run().jobs[0].ended_s

    undisturbed_s = ended_s(None)
    assert undisturbed_s < ended_s(2.0) < 1.5 * undisturbed_s


def test_pieces_that_come_back_are_taken_first_and_joined_in_order() -> None:
    run = Run(20)
    first, second = run.take(5), run.take(5)
    assert first is not None
    assert second is not None
    run.give_back(first, 2)
    assert (run.free, [piece.parts for piece in run.pieces]) == (13, [2, 3, 5])
    again = run.take(2)
    assert again is run.pieces[1]
    assert (run.free, [piece.parts for piece in run.pieces]) == (11, [2, 2, 1, 5])
    assert [piece.is_done for piece in run.pieces] == [True, False, False, False]


def test_two_workers_end_a_long_video_in_half_the_time() -> None:
    assert long_video(2, boots=False) == pytest.approx(long_video(1, boots=False) / 2, rel=0.02)


def test_the_rate_and_the_owners_are_those_of_the_load() -> None:
    jobs = Load(pattern="wave", jobs_a_day=20_000).jobs()
    assert len(jobs) == pytest.approx(20_000, rel=0.03)
    sizes = Counter(job.size for job in jobs)
    for size, (share, _) in OWNERS.items():
        assert sizes[size] == pytest.approx(share * len(jobs), rel=0.05)
    noon, night = (sum(abs(job.arrives_s / 3600 - hour) < 2 for job in jobs) for hour in (12, 2))
    assert noon > 3 * night


ONE_WORKER = Policies(
    limits=FleetLimits(max_workers=1, spare=timedelta(days=1)), has_turns=False, figures=ALONE
)


def test_a_quote_of_a_job_that_finds_a_free_worker_is_what_it_takes() -> None:
    # GIVEN equal jobs, each of which comes when the one before it has ended
    model = QuotedModel([job_of("a", 1000.0 * number) for number in range(60)], ONE_WORKER)
    model.run()
    # THEN they end as quoted
    assert len(model.quoted) > 3
    for one in model.quoted:
        assert one.took_s == pytest.approx(one.p50_s, rel=0.01)
        assert one.p95_s == pytest.approx(one.p50_s)


def test_a_quote_of_a_job_behind_others_has_the_wait_for_them() -> None:
    # GIVEN a crowd of which some are quoted from a number of messages that is a minute old
    jobs = [job_of("a", 1000.0 * number) for number in range(21)]
    model = QuotedModel([*jobs, *(job_of("a", 30_000.0) for _ in range(40))], ONE_WORKER)
    model.run()
    told = [one.p50_s / one.took_s for one in model.quoted if one.job.arrives_s == 30_000.0]
    # THEN the others have the whole wait in their quotes
    assert sorted(told)[len(told) // 2] == pytest.approx(1, rel=0.1)
