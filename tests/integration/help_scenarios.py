"""What the workers of a long video do between their calls to AWS: the holder of its job, and helpers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from video_jobs.application import VideoJobs
from video_jobs.domain.errors import TransientError
from video_jobs.domain.job import Job
from video_worker.heartbeat import Heartbeat
from video_worker.job_worker import Outcome

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.integration.crash_scenarios import END, OPEN, Prepared, accepted, scenario
from tests.integration.crash_world import HELP_FROM_PARTS, CrashWorld
from tests.support.crashes import Crash
from tests.support.worker_world import on_frame

PARTS = HELP_FROM_PARTS + 1
HOLD = f"{OPEN} UPDATE QUERY PUT"
ASK = "PUT SEND"
"""A segment, and the message that asks for help with it."""
OLD, NEW = "UPDATE STORE UPDATE", "PUT STORE UPDATE"
"""The holder computes a segment that it asked for help with, or a new one."""
TAKEN = "UPDATE"
"""A claim of what a helper has, and the holder did not know."""
FIRST = f"QUERY {ASK} {ASK} {ASK} UPDATE STORE UPDATE"
WITH_A_HELPER = " ".join([f"{HOLD} {FIRST}", *[f"{TAKEN} {OLD}"] * 2, f"{TAKEN} {NEW}", TAKEN])
BEFORE_HELP = len(f"{HOLD} {FIRST}".split()) - 2
CLAIM = "RECEIVE DELETE GET UPDATE QUERY UPDATE"


def long_video(world: CrashWorld, key: str) -> Job:
    """A job whose holder asks for help; its last part is incomplete."""
    world.pipelines.fingerprint("misbehave")
    rules = replace(world.app.rules, help_from_parts=HELP_FROM_PARTS, running_per_owner=4)
    world.app = VideoJobs(world.app.ports, rules)
    return accepted(world, key, TINY, "misbehave", 2 * PARTS + 1)


def meanwhile(work: Callable[[], object]) -> None:
    """Do something once, at the second frame of the holder: after the first one it asks for help."""

    def act(frame_index: int) -> None:
        if frame_index == 1:
            on_frame().remove(act)
            work()

    on_frame().append(act)


def helper(world: CrashWorld) -> Outcome:
    return world.worker("helper").run_once()


def held(world: CrashWorld, key: str) -> Job:
    """A job whose holder has asked for help, and rests."""
    job = long_video(world, key)
    meanwhile(world.rest)
    world.begin(world.work)
    return job


@scenario("worker shares", f"{HOLD} {FIRST} {OLD} {OLD} {OLD} {NEW} {END} REMOVE_ALL", is_shared=True)
def sharing(world: CrashWorld, key: str) -> Prepared:
    """Nobody helps."""
    return long_video(world, key).job_id, world.work


@scenario(
    "worker shares with a helper",
    f"{WITH_A_HELPER} QUERY READ {END} REMOVE_ALL",
    is_shared=True,
    dies_from=BEFORE_HELP,
)
def sharing_with_a_helper(world: CrashWorld, key: str) -> Prepared:
    job = long_video(world, key)

    def help_once() -> None:
        with world.another():
            assert helper(world) is Outcome.HELPED

    meanwhile(help_once)
    return job.job_id, world.work


@scenario(
    "worker takes a segment over",
    f"{WITH_A_HELPER} QUERY QUERY QUERY UPDATE LIST STORE UPDATE {END} REMOVE_ALL",
    is_shared=True,
    dies_from=BEFORE_HELP,
)
def taking_over(world: CrashWorld, key: str) -> Prepared:
    """The helper rests until its lease has ended, and longer; its next heartbeat tells it."""
    job = long_video(world, key)
    heartbeats: list[Heartbeat] = []

    def heartbeat(*args: Any) -> Heartbeat:
        heartbeats.append(Heartbeat(*args))
        return heartbeats[-1]

    def rest_at_frame(_: int) -> None:
        on_frame().clear()
        world.rest()
        heartbeats[-1].beat()

    def begin_to_help() -> None:
        on_frame().append(rest_at_frame)
        world.begin(world.worker("helper", heartbeat_type=heartbeat).run_once)

    meanwhile(begin_to_help)
    return job.job_id, world.work


@scenario(
    "worker resumes a shared video",
    f"{OPEN} READ UPDATE QUERY UPDATE LIST QUERY {OLD} {OLD} {OLD} {NEW} {END} REMOVE_ALL",
    is_shared=True,
)
def resuming_a_shared_video(world: CrashWorld, key: str) -> Prepared:
    """The holder died while it computed its second part."""
    job_id, act = sharing(world, key)

    def die(frame_index: int) -> None:
        if frame_index == 3:
            raise Crash

    on_frame().append(die)
    with world.another(), pytest.raises(Crash):
        act()
    on_frame().clear()
    world.clock.advance(100)
    return job_id, act


@scenario("worker helps", f"{CLAIM} READ STORE UPDATE", is_shared=True)
def helping(world: CrashWorld, key: str) -> Prepared:
    return held(world, key).job_id, partial(helper, world)


@scenario("worker gives a segment back", f"{CLAIM} READ UPDATE", is_shared=True)
def giving_back(world: CrashWorld, key: str) -> Prepared:
    job = held(world, key)

    def fail(_: int) -> None:
        raise TransientError("the disk did not answer")

    on_frame().append(fail)
    return job.job_id, partial(helper, world)


@scenario("worker helps after another", f"{CLAIM} LIST READ STORE UPDATE", is_shared=True)
def helping_after_another(world: CrashWorld, key: str) -> Prepared:
    """A helper gave the segment back."""
    job_id, give_back = giving_back(world, key)
    with world.another():
        assert give_back() is Outcome.SKIPPED
        on_frame().clear()
        while message := world.queue.dequeue():
            world.queue.acknowledge(message)
        world.queue.ask_for_help(job_id, 1, 2)
    return job_id, partial(helper, world)


@scenario("worker declines to help", "RECEIVE DELETE GET UPDATE", is_shared=True)
def declining_to_help(world: CrashWorld, key: str) -> Prepared:
    """It has other libraries."""
    job = held(world, key)
    worker = world.worker("helper")
    vars(worker._helper)["_fingerprint_of"] = lambda _: "another"
    return job.job_id, worker.run_once


@scenario("worker is asked too late", "RECEIVE DELETE GET", is_shared=True)
def asked_too_late(world: CrashWorld, key: str) -> Prepared:
    job = long_video(world, key)
    assert world.work() is Outcome.COMPLETED
    return job.job_id, partial(helper, world)
