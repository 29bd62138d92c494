"""Videos that the service fetches from a URL: from the submission until the usual way begins."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from video_jobs.domain.errors import (
    FileMissingError,
    IdempotencyMismatchError,
    InvalidRequestError,
)
from video_jobs.domain.job import UploadState
from video_jobs.ports import StoredChunk
from video_jobs.use_cases.fetch_turn import MAX_BEGINNINGS, TURN
from video_jobs.use_cases.sources import FetchOutcome
from video_jobs.use_cases.work import Verdict

from tests.support.source_world import BY_ANN, CHUNK, MP4_HEAD, URL, WORKER, SourceWorld, video

pytestmark = pytest.mark.usefixtures("small_chunks")


@pytest.fixture
def world() -> SourceWorld:
    return SourceWorld()


# --- submitting ------------------------------------------------------------------------------------


def test_a_submitted_job_is_sent_and_shows_only_the_host(world: SourceWorld) -> None:
    job = world.job
    assert (job.upload.state, job.upload.source_host) == (UploadState.FETCHING, "source.example")
    assert (job.upload.source and job.upload.source.url, job.needs) == (URL, 3)
    assert world.fetches.sent == [(world.job_id, 0)]
    assert "secret" not in repr(job)


@pytest.mark.parametrize(
    "url",
    [
        "http://source.example/",
        "https://source.example:8443/",
        "https://user@source.example/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://169.254.169.254/",
        "https://source.example/#part",
        "https://source.example/" + "x" * 9000,
    ],
)
def test_a_url_that_cannot_be_fetched_is_refused_at_once(world: SourceWorld, url: str) -> None:
    with pytest.raises(InvalidRequestError, match=r"^source_url: "):
        world.app.intake.submit_source(url, BY_ANN)
    assert len(world.app.ports.jobs.list_by_owner("ann", 10)) == 1


def test_networks_of_webhooks_are_not_open_to_sources() -> None:
    world = SourceWorld(webhook_networks=("10.0.0.0/8",))
    with pytest.raises(InvalidRequestError, match="private"):
        world.app.intake.submit_source("https://10.1.2.3/", BY_ANN)


def test_the_same_request_finds_its_job_and_sends_it_again(world: SourceWorld) -> None:
    keyed = replace(BY_ANN, idempotency_key="k")
    first, again = (world.app.intake.submit_source(URL, keyed) for _ in range(2))
    assert (again.job_id, again.upload.multipart_id) == (first.job_id, first.upload.multipart_id)
    assert world.fetches.sent.count((first.job_id, 0)) == 2
    assert len(world.uploads._uploads) == 2  # that of the fixture's job, and one for both requests
    with pytest.raises(IdempotencyMismatchError):
        world.app.intake.submit_source(URL + "1", keyed)
    with pytest.raises(IdempotencyMismatchError):
        world.app.intake.submit_form(10, keyed)


# --- fetching --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size_bytes", [30, CHUNK, CHUNK + 1, 3 * CHUNK])
@pytest.mark.parametrize("is_declared", [True, False])
def test_a_video_is_fetched_and_goes_the_usual_way(size_bytes: int, is_declared: bool) -> None:
    world = SourceWorld(video(size_bytes))
    world.source.is_declared = is_declared
    assert world.fetch() is FetchOutcome.FETCHED
    assert world.stored() == world.source.content
    assert world.source.asked == [(URL, 0)]
    job = world.job
    assert (job.upload.state, job.upload.size_bytes) == (UploadState.ACCEPTED, size_bytes)
    assert (job.upload.source, job.upload.source_host, job.lease) == (None, "source.example", None)
    message = world.app.ports.queue.dequeue()
    assert message is not None
    assert world.app.work.claim(message, WORKER).verdict is Verdict.WORK


def test_a_transfer_that_broke_off_goes_on_behind_the_last_chunk(world: SourceWorld) -> None:
    world.source.faults.extend([CHUNK + 5, CHUNK - 5])
    assert world.fetch_until_ended() == [FetchOutcome.RETRIED_LATER] * 2 + [FetchOutcome.FETCHED]
    assert [start for _, start in world.source.asked] == [0, CHUNK, CHUNK]
    assert world.stored() == world.source.content
    assert world.is_accepted


def test_a_file_that_changed_in_the_middle_is_fetched_from_its_first_byte(world: SourceWorld) -> None:
    world.source.faults.append(CHUNK + 5)
    assert world.fetch() is FetchOutcome.RETRIED_LATER
    world.source.content, world.source.etag = video(CHUNK * 2 + 5)[::-1], '"two"'
    world.source.content = MP4_HEAD + world.source.content
    assert world.fetch() is FetchOutcome.FETCHED
    assert world.stored() == world.source.content
    with pytest.raises(FileMissingError):
        world.uploads.list_chunks(world.job.upload.key, world.first_upload)


@pytest.mark.parametrize("how", ["no ranges", "no etag"])
def test_a_server_that_cannot_go_on_is_asked_for_all_of_it_again(world: SourceWorld, how: str) -> None:
    world.source.has_ranges = how != "no ranges"
    world.source.etag = None if how == "no etag" else '"one"'
    world.source.faults.append(CHUNK + 5)
    assert world.fetch_until_ended() == [FetchOutcome.RETRIED_LATER, FetchOutcome.FETCHED]
    assert world.stored() == world.source.content
    assert len(world.uploads._uploads) == 0


def test_a_transfer_that_always_begins_again_is_given_up(world: SourceWorld) -> None:
    world.source.has_ranges = False
    world.source.faults.extend([CHUNK + 5] * 99)
    outcomes = world.fetch_until_ended()
    assert outcomes == [FetchOutcome.RETRIED_LATER] * MAX_BEGINNINGS + [FetchOutcome.FAILED]
    assert world.why() == "source_interrupted"


def test_chunks_of_two_contents_are_never_in_one_upload(world: SourceWorld) -> None:
    changed = MP4_HEAD + video(CHUNK * 2)[::-1]
    put_chunk = world.uploads.put_chunk

    # GIVEN a function that stands still at a chunk, so that another one begins to fetch a changed file
    def stand_still(*chunk: Any) -> StoredChunk:
        vars(world.uploads).pop("put_chunk")
        world.clock.advance(200)
        world.source.content, world.source.etag = changed, '"two"'
        assert world.app.sources.fetch(world.job_id) is FetchOutcome.RETRIED_LATER
        return put_chunk(*chunk)

    world.source.faults.extend([CHUNK + 5, CHUNK + 5])
    vars(world.uploads)["put_chunk"] = stand_still
    # WHEN the first one goes on with its chunk
    assert world.fetch() is FetchOutcome.TAKEN_AWAY
    # THEN the next turn goes on with the changed file, and nothing of the other one is in it
    assert world.fetch() is FetchOutcome.FETCHED
    assert [start for _, start in world.source.asked] == [0, 0, CHUNK]
    assert world.stored() == changed
    assert world.is_accepted
    assert world.uploads._uploads == {}


def test_a_long_fetch_goes_on_in_the_next_turn() -> None:
    world = SourceWorld(video(14 * CHUNK))
    world.source.block_bytes = CHUNK
    world.source.on_block = lambda: world.clock.advance(TURN.total_seconds() / 12)
    assert world.fetch() is FetchOutcome.PAUSED
    assert world.job.lease is None
    assert world.fetch_until_ended() == [FetchOutcome.FETCHED]
    assert [start for _, start in world.source.asked] == [0, 12 * CHUNK]
    assert world.stored() == world.source.content


def test_what_cannot_go_on_must_come_in_one_turn() -> None:
    world = SourceWorld(video(14 * CHUNK))
    world.source.etag, world.source.block_bytes = None, CHUNK
    world.source.on_block = lambda: world.clock.advance(TURN.total_seconds() / 12)
    assert world.fetch() is FetchOutcome.FAILED
    assert world.why() == "source_too_slow"
    assert "12 minutes" in (world.job.error.message if world.job.error else "")
