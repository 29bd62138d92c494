"""Videos that the service fetches from a URL: from the submission until the usual way begins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from video_jobs.adapters.local.memory_sources import MemorySourceQueue
from video_jobs.adapters.local.memory_storage import MemoryStorage
from video_jobs.adapters.local.memory_uploads import MemoryMultipartUploads
from video_jobs.application import VideoJobs
from video_jobs.bindings import Ports
from video_jobs.domain.errors import (
    FileMissingError,
    IdempotencyMismatchError,
    InvalidRequestError,
    JobStateError,
    SourceNotFoundError,
    SourceUnreachableError,
)
from video_jobs.domain.formats import NEWEST_FORMAT
from video_jobs.domain.job import Job, JobStatus, UploadState
from video_jobs.domain.rules import Rules
from video_jobs.ports import QueueMessage, StoredChunk
from video_jobs.use_cases import fetch_turn
from video_jobs.use_cases.fetch_turn import MAX_BEGINNINGS, TURN
from video_jobs.use_cases.intake import Submission
from video_jobs.use_cases.sources import MAX_FAILURES, FetchOutcome
from video_jobs.use_cases.work import Claimant, Verdict

from tests.support.clock import ManualClock
from tests.support.pretend_source import PretendSource

KIB = 2**10
CHUNK = 8 * KIB
URL = "https://source.example/a.mp4?signature=secret"
MP4_HEAD = b"\0\0\0\x14ftypisom\0\0\2\0isom"
BY_ANN = Submission(owner="ann")
WORKER = Claimant(worker_id="w", lease=timedelta(minutes=1))


def video(size_bytes: int) -> bytes:
    """An MP4 whose chunks differ."""
    content = MP4_HEAD + b"".join(bytes([place % 251]) * KIB for place in range(size_bytes // KIB + 1))
    return content[:size_bytes]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks have KiB instead of MiB, and so has what a server must send in a second."""
    monkeypatch.setattr(fetch_turn, "chunk_bytes_of", lambda _: CHUNK)
    monkeypatch.setattr(fetch_turn, "MIN_BYTES_PER_S", fetch_turn.MIN_BYTES_PER_S // KIB)


class World:
    """The service in memory, a source, and one job that is fetched from it."""

    def __init__(self, content: bytes = video(CHUNK * 2 + 5), **rules: Any) -> None:
        self.clock, self.storage = ManualClock(), MemoryStorage()
        self.source, self.fetches = PretendSource(content, block_bytes=KIB), MemorySourceQueue()
        self.uploads = MemoryMultipartUploads(self.storage)
        ports = Ports.in_memory(
            self.clock,
            storage=lambda: self.storage,
            uploads=lambda: self.uploads,
            fetches=lambda: self.fetches,
            source_reader=lambda: self.source,
        )
        self.app = VideoJobs(ports, Rules(**rules))
        self.job_id = self.app.intake.submit_source(URL, BY_ANN).job_id
        self.first_upload = self.job.upload.multipart_id or ""

    @property
    def job(self) -> Job:
        job = self.app.ports.jobs.get_by_id(self.job_id)
        assert job is not None
        return job

    @property
    def is_accepted(self) -> bool:
        return self.job.upload.state is UploadState.ACCEPTED

    def fetch(self) -> FetchOutcome:
        """Receive the oldest message after its delay, and fetch; the event of an object follows at once."""
        job_id, delay_s = self.fetches.sent.pop(0)
        self.clock.advance(delay_s)
        outcome = self.app.sources.fetch(job_id)
        self.app.intake.accept_upload(self.job.upload.key)
        return outcome

    def fetch_until_ended(self) -> list[FetchOutcome]:
        outcomes = []
        while self.fetches.sent:
            outcomes.append(self.fetch())
        return outcomes

    def stored(self) -> bytes | None:
        found = self.storage.find_file(self.job.upload.key)
        return None if found is None else self.storage.read_range(found.key, 0, found.size_bytes)

    def chunks(self) -> list[StoredChunk]:
        return self.uploads.list_chunks(self.job.upload.key, self.job.upload.multipart_id or "")

    def why(self) -> str | None:
        """Why the job failed; then it has no URL any more, and its chunks are gone."""
        job = self.job
        if job.error is None:
            return None
        assert (job.status, job.upload.source, job.lease) == (JobStatus.FAILED, None, None)
        assert "secret" not in job.error.message
        assert self.uploads._uploads == {}
        return job.error.code


@pytest.fixture
def world() -> World:
    return World()


# --- submitting ------------------------------------------------------------------------------------


def test_a_submitted_job_is_sent_and_shows_only_the_host(world: World) -> None:
    job = world.job
    assert (job.upload.state, job.upload.source_host) == (UploadState.FETCHING, "source.example")
    assert (job.upload.source and job.upload.source.url, job.needs) == (URL, NEWEST_FORMAT)
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
def test_a_url_that_cannot_be_fetched_is_refused_at_once(world: World, url: str) -> None:
    with pytest.raises(InvalidRequestError, match=r"^source_url: "):
        world.app.intake.submit_source(url, BY_ANN)
    assert len(world.app.ports.jobs.list_by_owner("ann", 10)) == 1


def test_networks_of_webhooks_are_not_open_to_sources() -> None:
    world = World(webhook_networks=("10.0.0.0/8",))
    with pytest.raises(InvalidRequestError, match="private"):
        world.app.intake.submit_source("https://10.1.2.3/", BY_ANN)


def test_the_same_request_finds_its_job_and_sends_it_again(world: World) -> None:
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
    world = World(video(size_bytes))
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


def test_a_transfer_that_broke_off_goes_on_behind_the_last_chunk(world: World) -> None:
    world.source.faults.extend([CHUNK + 5, CHUNK - 5])
    assert world.fetch_until_ended() == [FetchOutcome.RETRIED_LATER] * 2 + [FetchOutcome.FETCHED]
    assert [start for _, start in world.source.asked] == [0, CHUNK, CHUNK]
    assert world.stored() == world.source.content
    assert world.is_accepted


def test_a_file_that_changed_in_the_middle_is_fetched_from_its_first_byte(world: World) -> None:
    world.source.faults.append(CHUNK + 5)
    assert world.fetch() is FetchOutcome.RETRIED_LATER
    world.source.content, world.source.etag = video(CHUNK * 2 + 5)[::-1], '"two"'
    world.source.content = MP4_HEAD + world.source.content
    assert world.fetch() is FetchOutcome.FETCHED
    assert world.stored() == world.source.content
    with pytest.raises(FileMissingError):
        world.uploads.list_chunks(world.job.upload.key, world.first_upload)


@pytest.mark.parametrize("how", ["no ranges", "no etag"])
def test_a_server_that_cannot_go_on_is_asked_for_all_of_it_again(world: World, how: str) -> None:
    world.source.has_ranges = how != "no ranges"
    world.source.etag = None if how == "no etag" else '"one"'
    world.source.faults.append(CHUNK + 5)
    assert world.fetch_until_ended() == [FetchOutcome.RETRIED_LATER, FetchOutcome.FETCHED]
    assert world.stored() == world.source.content
    assert len(world.uploads._uploads) == 0


def test_a_transfer_that_always_begins_again_is_given_up(world: World) -> None:
    world.source.has_ranges = False
    world.source.faults.extend([CHUNK + 5] * 99)
    outcomes = world.fetch_until_ended()
    assert outcomes == [FetchOutcome.RETRIED_LATER] * MAX_BEGINNINGS + [FetchOutcome.FAILED]
    assert world.why() == "source_interrupted"


def test_chunks_of_two_contents_are_never_in_one_upload(world: World) -> None:
    # GIVEN a function that stands still for so long that another one takes the fetch over
    late: list[FetchOutcome] = []

    def stand_still() -> None:
        if late or len(world.source.asked) > 1:
            return
        world.clock.advance(200)
        world.source.content, world.source.etag = MP4_HEAD + video(CHUNK)[::-1], '"two"'
        late.append(world.app.sources.fetch(world.job_id))

    world.source.on_block = stand_still
    # WHEN the first one goes on after the other has fetched a changed file
    assert world.fetch() is FetchOutcome.TAKEN_AWAY
    # THEN the video is what the second one fetched
    assert late == [FetchOutcome.FETCHED]
    assert world.stored() == MP4_HEAD + video(CHUNK)[::-1]
    assert world.is_accepted
    assert world.uploads._uploads == {}


def test_a_long_fetch_goes_on_in_the_next_turn() -> None:
    world = World(video(14 * CHUNK))
    world.source.block_bytes = CHUNK
    world.source.on_block = lambda: world.clock.advance(TURN.total_seconds() / 12)
    assert world.fetch() is FetchOutcome.PAUSED
    assert world.job.lease is None
    assert world.fetch_until_ended() == [FetchOutcome.FETCHED]
    assert [start for _, start in world.source.asked] == [0, 12 * CHUNK]
    assert world.stored() == world.source.content


def test_what_cannot_go_on_must_come_in_one_turn() -> None:
    world = World(video(14 * CHUNK))
    world.source.etag, world.source.block_bytes = None, CHUNK
    world.source.on_block = lambda: world.clock.advance(TURN.total_seconds() / 12)
    assert world.fetch() is FetchOutcome.FAILED
    assert world.why() == "source_too_slow"
    assert "12 minutes" in (world.job.error.message if world.job.error else "")


# --- what ends a fetch ------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"<html>log in</html>", b"\x1aE\xdf\xa3" + b"0" * 100])
def test_what_is_no_video_is_not_fetched_to_its_end(content: bytes) -> None:
    world = World(content + b"0" * (3 * CHUNK) if content else b"")
    assert world.fetch() is FetchOutcome.FAILED
    assert world.why() == "invalid_mp4"
    assert world.stored() is None


@pytest.mark.parametrize("is_declared", [True, False])
def test_what_is_too_large_is_not_fetched_to_its_end(is_declared: bool) -> None:
    world = World(video(3 * CHUNK), max_multipart_bytes=CHUNK + 5)
    world.source.is_declared = is_declared
    blocks: list[int] = []
    world.source.on_block = lambda: blocks.append(1)
    assert world.fetch() is FetchOutcome.FAILED
    assert world.why() == "source_too_large"
    assert len(blocks) == (16 if not is_declared else 0)


def test_an_error_for_good_ends_the_job_at_once(world: World) -> None:
    world.source.faults.append(SourceNotFoundError())
    assert world.fetch_until_ended() == [FetchOutcome.FAILED]
    assert world.why() == "source_not_found"


def test_an_error_that_may_pass_is_tried_again_later_and_not_for_ever(world: World) -> None:
    world.source.faults.extend([SourceUnreachableError("503", may_pass=True)] * 99)
    delays = []
    while world.fetches.sent:
        delays.append(world.fetches.sent[0][1])
        world.fetch()
    assert delays == [0, 10, 30, 90, 270]
    assert len(delays) == MAX_FAILURES
    assert world.why() == "source_unreachable"


def test_a_try_that_stored_something_is_no_failure_in_a_row() -> None:
    world = World(video(9 * CHUNK))
    world.source.faults.extend([CHUNK + 1] * 8)
    assert world.fetch_until_ended()[-1] is FetchOutcome.FETCHED
    assert world.stored() == world.source.content


def test_a_server_that_is_too_slow_is_given_up(world: World) -> None:
    world.source.block_bytes = 1
    world.source.on_block = lambda: world.clock.advance(1)
    assert world.fetch_until_ended() == [FetchOutcome.RETRIED_LATER] * 4 + [FetchOutcome.FAILED]
    assert world.why() == "source_too_slow"


def test_the_error_tells_the_time_that_a_fetch_may_take(world: World) -> None:
    world.clock.advance(world.app.rules.source_limit.total_seconds())
    assert world.fetch() is FetchOutcome.FAILED
    assert world.why() == "source_too_slow"
    assert "360 minutes" in (world.job.error.message if world.job.error else "")
    assert world.source.asked == []


def test_the_limit_holds_during_a_transfer_too(world: World) -> None:
    world.source.block_bytes = CHUNK
    world.clock.advance(world.app.rules.source_limit.total_seconds() - 10)
    world.source.on_block = lambda: world.clock.advance(40)
    assert world.fetch() is FetchOutcome.FAILED
    assert world.why() == "source_too_slow"


# --- messages, owners and reconcile -----------------------------------------------------------------


def test_a_second_message_changes_nothing(world: World) -> None:
    world.fetches.sent *= 3
    assert world.fetch_until_ended() == [FetchOutcome.FETCHED] + [FetchOutcome.DECLINED] * 2
    assert len(world.source.asked) == 1
    assert world.app.sources.fetch("no job") is FetchOutcome.DECLINED


def test_a_message_of_a_fetch_that_is_under_way_is_declined(world: World) -> None:
    seen: list[FetchOutcome] = []
    world.source.on_block = lambda: seen.append(world.app.sources.fetch(world.job_id))
    assert world.fetch() is FetchOutcome.FETCHED
    assert set(seen) == {FetchOutcome.DECLINED}


def test_a_long_transfer_stays_with_the_function_that_holds_it() -> None:
    world = World(video(14 * CHUNK))
    world.source.block_bytes = CHUNK
    seen: list[object] = []

    def look() -> None:
        world.clock.advance(40)
        seen.extend([world.app.sources.fetch(world.job_id), world.app.upkeep.reconcile()])

    world.source.on_block = look
    assert world.fetch() is FetchOutcome.FETCHED
    assert seen == [FetchOutcome.DECLINED, {}] * 14


class UploadsThatLinger(MemoryMultipartUploads):
    """A chunk that is on its way while its upload is removed stays, as on S3, until it is removed again."""

    def __init__(self, storage: MemoryStorage) -> None:
        super().__init__(storage)
        self.meanwhile: Callable[[], object] = lambda: None
        self.left: list[str] = []

    def put_chunk(self, key: str, upload_id: str, number: int, content: bytes) -> StoredChunk:
        stored = super().put_chunk(key, upload_id, number, content)
        self.meanwhile()
        self.left.append(upload_id)
        return stored

    def abort(self, key: str, upload_id: str) -> None:
        super().abort(key, upload_id)
        self.left = [one for one in self.left if one != upload_id]


def test_a_chunk_that_came_after_the_cancellation_is_removed_too(world: World) -> None:
    uploads = UploadsThatLinger(world.storage)
    uploads._uploads, world.uploads = world.uploads._uploads, uploads
    vars(world.app.ports)["uploads"] = uploads
    uploads.meanwhile = lambda: world.app.owner.cancel(world.job)
    assert world.fetch() is FetchOutcome.TAKEN_AWAY
    assert uploads.left == []
    assert world.why() == "cancelled"


@pytest.mark.parametrize("ask", ["cancel", "delete"])
@pytest.mark.parametrize("is_under_way", [False, True])
def test_nothing_is_left_of_a_job_that_its_owner_ends(world: World, ask: str, is_under_way: bool) -> None:
    def end() -> None:
        if world.app.ports.jobs.get_by_id(world.job_id) and world.job.status is JobStatus.PENDING:
            getattr(world.app.owner, ask)(world.job)

    if is_under_way:
        world.source.on_block = end
        world.source.faults.append(CHUNK + 5)
    else:
        end()
    outcome = world.app.sources.fetch(world.job_id)
    assert outcome is (FetchOutcome.TAKEN_AWAY if is_under_way else FetchOutcome.DECLINED)
    assert world.uploads._uploads == {}
    assert world.storage.find_file(f"video_jobs/{world.job_id}.mp4") is None
    left = world.app.ports.jobs.get_by_id(world.job_id)
    assert (left is None) == (ask == "delete")
    if left is not None:
        assert world.why() == "cancelled"
        with pytest.raises(JobStateError, match="submit it again"):
            world.app.owner.retry(left)


def test_a_cancellation_leaves_no_upload_that_the_fetch_has_just_begun(world: World) -> None:
    before = world.job
    world.source.faults.extend([CHUNK + 5, CHUNK + 5])
    world.fetch()
    world.source.etag = '"two"'
    world.fetch()
    assert world.job.upload.multipart_id != before.upload.multipart_id
    world.app.owner.cancel(before)  # as it was read before the fetch began again
    assert world.why() == "cancelled"


def test_reconcile_sends_a_lost_fetch_again_until_its_limit(world: World) -> None:
    world.fetches.sent.clear()
    sent = 0
    for _ in range(100):
        world.clock.advance(300)
        sent += world.app.upkeep.reconcile()["fetched_again"]
        if world.job.status is JobStatus.FAILED:
            break
    assert 30 < sent == len(world.fetches.sent) < 40
    assert world.why() == "source_too_slow"


def test_reconcile_takes_a_fetch_up_whose_function_died(world: World) -> None:
    def die() -> None:
        raise KeyboardInterrupt

    world.source.on_block = die
    with pytest.raises(KeyboardInterrupt):
        world.fetch()
    world.clock.advance(100)
    assert world.app.upkeep.reconcile() == {}  # its lease is still live
    world.clock.advance(200)
    assert world.app.upkeep.reconcile() == {"fetched_again": 1}
    world.source.on_block = lambda: None
    assert world.fetch() is FetchOutcome.FETCHED
    assert world.is_accepted


def test_reconcile_finds_a_video_whose_event_was_lost(world: World) -> None:
    assert world.app.sources.fetch(world.job_id) is FetchOutcome.FETCHED
    assert not world.is_accepted
    assert world.app.sources.fetch(world.job_id) is FetchOutcome.DECLINED
    world.clock.advance(300)
    assert world.app.sources.fetch(world.job_id) is FetchOutcome.FETCHED  # it is there: nobody is asked
    assert len(world.source.asked) == 1
    world.clock.advance(300)
    assert world.app.upkeep.reconcile() == {"accepted_late": 1}
    assert world.is_accepted


def test_a_video_that_is_refused_after_its_fetch_fails_although_a_function_holds_it(world: World) -> None:
    assert world.app.sources.fetch(world.job_id) is FetchOutcome.FETCHED
    world.storage.save_bytes(world.job.upload.key, b"something else")
    world.app.intake.accept_upload(world.job.upload.key)
    assert world.why() == "invalid_mp4"
    assert world.app.ports.queue.size() == 0


def test_a_worker_leaves_a_job_alone_whose_video_is_still_fetched(world: World) -> None:
    # GIVEN a message that the release before has sent, for which such a job is an accepted one
    claim = world.app.work.claim(QueueMessage(world.job_id, 9, "receipt"), WORKER)
    # THEN the job is not run, and not lost
    assert (claim.verdict, claim.reason) == (Verdict.ACKNOWLEDGE, "needs its video")
    world.fetches.sent.clear()
    world.clock.advance(400)
    assert world.app.upkeep.reconcile() == {"fetched_again": 1}
    assert world.fetch() is FetchOutcome.FETCHED
    assert world.is_accepted
