"""The crash scenarios of videos that the service fetches from a URL; `crash_scenarios` has all others."""

from __future__ import annotations

from video_jobs.domain.errors import SourceNotFoundError

from tests.integration.crash_scenarios import DOUBTS, DUE, MOVE, Prepared, asking, id_of, scenario
from tests.integration.crash_world import CrashWorld
from tests.support.pretend_source import Fault


@scenario("submit_source", "CREATE TRANSACT SEND", asks_again=True)
def submitting_source(world: CrashWorld, key: str) -> Prepared:
    return id_of(key), lambda: world.submit_source(key)


def fetching(world: CrashWorld, key: str, *faults: Fault) -> Prepared:
    job = world.submit_source(key)
    world.source.faults.clear()
    world.source.faults.extend(faults)
    return job.job_id, lambda: world.app.sources.fetch(job.job_id)


@scenario("fetch", "GET UPDATE PARTS UPDATE PART COMPLETE")
def fetching_whole(world: CrashWorld, key: str) -> Prepared:
    return fetching(world, key)


@scenario("fetch breaks off", "GET UPDATE PARTS UPDATE UPDATE SEND")
def fetching_a_beginning(world: CrashWorld, key: str) -> Prepared:
    return fetching(world, key, 1000)


@scenario("fetch begins again", "GET UPDATE PARTS UPDATE ABORT CREATE UPDATE PART COMPLETE")
def fetching_again(world: CrashWorld, key: str) -> Prepared:
    prepared = fetching(world, key, 1000)
    prepared[1]()
    return prepared


@scenario("fetch of what is there", "GET UPDATE PARTS HEAD")
def fetching_what_is_there(world: CrashWorld, key: str) -> Prepared:
    prepared = fetching(world, key)
    prepared[1]()
    world.clock.advance(200)
    return prepared


@scenario("fetch fails", f"GET UPDATE PARTS {MOVE} ABORT", end="source_not_found", asks_again=True)
def fetching_nothing(world: CrashWorld, key: str) -> Prepared:
    return fetching(world, key, *[SourceNotFoundError()] * 9)


@scenario("cancel_job that is fetched", f"GET {MOVE} ABORT", end="cancelled", asks_again=True)
def cancelling_a_fetch(world: CrashWorld, key: str) -> Prepared:
    return asking(world, world.submit_source(key), world.app.owner.cancel)


@scenario(
    "delete_job that is fetched", f"GET {MOVE} ABORT ABORT LIST REMOVE_ALL DROP", end=None, asks_again=True
)
def deleting_a_fetch(world: CrashWorld, key: str) -> Prepared:
    return asking(world, world.submit_source(key), world.app.owner.delete)


@scenario("reconcile sends a fetch again", f"{DUE} {DUE} HEAD UPDATE SEND {DUE} {DOUBTS}")
def sending_a_fetch_again(world: CrashWorld, key: str) -> Prepared:
    job = world.submit_source(key)
    world.clock.advance(3600)
    return job.job_id, world.app.upkeep.reconcile


@scenario(
    "reconcile gives a fetch up", f"{DUE} {DUE} HEAD {MOVE} ABORT {DUE} {DOUBTS}", end="source_too_slow"
)
def giving_a_fetch_up(world: CrashWorld, key: str) -> Prepared:
    job = world.submit_source(key)
    world.clock.advance(7 * 3600)
    return job.job_id, world.app.upkeep.reconcile
