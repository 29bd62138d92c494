"""Scenarios of jobs that wait for their owner's turn; an owner has one (`CrashWorld`)."""

from __future__ import annotations

from datetime import timedelta

from video_jobs.domain import changes
from video_jobs.domain.job import Job
from video_jobs.domain.turns import moved

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.integration.crash_scenarios import (
    DOUBTS,
    DUE,
    MOVE,
    OPEN,
    Prepared,
    accepted,
    scenario,
    uploaded,
)
from tests.integration.crash_world import CrashWorld

PASSED_ON = f"QUERY GET {MOVE} SEND UPDATE"
"""The owner's oldest waiting job is found, and has the turn."""


def waiting(world: CrashWorld, key: str) -> tuple[Job, Job]:
    """A job that was sent and will fail, and one that waits for its turn."""
    sent, waits = accepted(world, f"{key} sent", world.broken), accepted(world, key)
    found = world.find(waits.job_id)
    assert found is not None
    assert found.waits
    return sent, found


@scenario("upload_received lets a job wait", f"GET HEAD READ TRANSACT {MOVE} GET")
def letting_wait(world: CrashWorld, key: str) -> Prepared:
    accepted(world, f"{key} sent", world.broken)
    job_id = uploaded(world, key, TINY).job_id
    return job_id, lambda: world.upload_received(job_id)


@scenario("worker passes its turn on", f"{OPEN} {MOVE} {PASSED_ON} DELETE")
def passing_on(world: CrashWorld, key: str) -> Prepared:
    return waiting(world, key)[1].job_id, world.work


@scenario("reconcile gives a turn", f"{DUE} {DUE} {PASSED_ON} {DUE} {DOUBTS}")
def giving_a_lost_turn(world: CrashWorld, key: str) -> Prepared:
    """Whoever ended the job that was sent died before he passed its turn on."""
    sent, waits = waiting(world, key)
    job = world.find(sent.job_id)
    assert job is not None
    ended = changes.cancel(job, keep=timedelta(days=1), now=world.clock.now())
    world.jobs.update_status(moved(ended, job, None))
    world.clock.advance(200)
    return waits.job_id, world.app.upkeep.reconcile
