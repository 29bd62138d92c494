"""What ends a fetch of a video from a URL, who may take it over, and what is left of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from video_jobs.adapters.local.memory_storage import MemoryStorage
from video_jobs.adapters.local.memory_uploads import MemoryMultipartUploads
from video_jobs.domain.errors import (
    JobStateError,
    SourceNotFoundError,
    SourceUnreachableError,
)
from video_jobs.domain.job import JobStatus
from video_jobs.ports import QueueMessage, StoredChunk
from video_jobs.use_cases.sources import MAX_FAILURES, FetchOutcome
from video_jobs.use_cases.work import Verdict

from tests.support.source_world import CHUNK, WORKER, SourceWorld, video

pytestmark = pytest.mark.usefixtures("small_chunks")


@pytest.fixture
def world() -> SourceWorld:
    return SourceWorld()


# --- what ends a fetch ------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"<html>log in</html>", b"\x1aE\xdf\xa3" + b"0" * 100])
def test_what_is_no_video_is_not_fetched_to_its_end(content: bytes) -> None:
    world = SourceWorld(content + b"0" * (3 * CHUNK) if content else b"")
    assert world.fetch() is FetchOutcome.FAILED
    assert world.why() == "invalid_mp4"
    assert world.stored() is None


@pytest.mark.parametrize("is_declared", [True, False])
def test_what_is_too_large_is_not_fetched_to_its_end(is_declared: bool) -> None:
    world = SourceWorld(video(3 * CHUNK), max_multipart_bytes=CHUNK + 5)
    world.source.is_declared = is_declared
    blocks: list[int] = []
    world.source.on_block = lambda: blocks.append(1)
    assert world.fetch() is FetchOutcome.FAILED
    assert world.why() == "source_too_large"
    assert len(blocks) == (16 if not is_declared else 0)


def test_an_error_for_good_ends_the_job_at_once(world: SourceWorld) -> None:
    world.source.faults.append(SourceNotFoundError())
    assert world.fetch_until_ended() == [FetchOutcome.FAILED]
    assert world.why() == "source_not_found"


def test_an_error_that_may_pass_is_tried_again_later_and_not_for_ever(world: SourceWorld) -> None:
    world.source.faults.extend([SourceUnreachableError("503", may_pass=True)] * 99)
    delays = []
    while world.fetches.sent:
        delays.append(world.fetches.sent[0][1])
        world.fetch()
    assert delays == [0, 10, 30, 90, 270]
    assert len(delays) == MAX_FAILURES
    assert world.why() == "source_unreachable"


def test_a_try_that_stored_something_is_no_failure_in_a_row() -> None:
    world = SourceWorld(video(9 * CHUNK))
    world.source.faults.extend([CHUNK + 1] * 8)
    assert world.fetch_until_ended()[-1] is FetchOutcome.FETCHED
    assert world.stored() == world.source.content


def test_a_server_that_is_too_slow_is_given_up(world: SourceWorld) -> None:
    world.source.block_bytes = 1
    world.source.on_block = lambda: world.clock.advance(1)
    assert world.fetch_until_ended() == [FetchOutcome.RETRIED_LATER] * 4 + [FetchOutcome.FAILED]
    assert world.why() == "source_too_slow"


def test_the_error_tells_the_time_that_a_fetch_may_take(world: SourceWorld) -> None:
    world.clock.advance(world.app.rules.source_limit.total_seconds())
    assert world.fetch() is FetchOutcome.FAILED
    assert world.why() == "source_too_slow"
    assert "360 minutes" in (world.job.error.message if world.job.error else "")
    assert world.source.asked == []


def test_the_limit_holds_during_a_transfer_too(world: SourceWorld) -> None:
    world.source.block_bytes = CHUNK
    world.clock.advance(world.app.rules.source_limit.total_seconds() - 10)
    world.source.on_block = lambda: world.clock.advance(40)
    assert world.fetch() is FetchOutcome.FAILED
    assert world.why() == "source_too_slow"


# --- messages, owners and reconcile -----------------------------------------------------------------


def test_a_second_message_changes_nothing(world: SourceWorld) -> None:
    world.fetches.sent *= 3
    assert world.fetch_until_ended() == [FetchOutcome.FETCHED] + [FetchOutcome.DECLINED] * 2
    assert len(world.source.asked) == 1
    assert world.app.sources.fetch("no job") is FetchOutcome.DECLINED


def test_a_message_of_a_fetch_that_is_under_way_is_declined(world: SourceWorld) -> None:
    seen: list[FetchOutcome] = []
    world.source.on_block = lambda: seen.append(world.app.sources.fetch(world.job_id))
    assert world.fetch() is FetchOutcome.FETCHED
    assert set(seen) == {FetchOutcome.DECLINED}


def test_a_long_transfer_stays_with_the_function_that_holds_it() -> None:
    world = SourceWorld(video(14 * CHUNK))
    world.source.block_bytes = CHUNK
    seen: list[object] = []

    def look() -> None:
        world.clock.advance(40)
        seen.extend([world.app.sources.fetch(world.job_id), world.app.upkeep.reconcile()])

    world.source.on_block = look
    assert world.fetch() is FetchOutcome.FETCHED
    assert seen == [FetchOutcome.DECLINED, {}] * 14


@pytest.mark.parametrize("earlier_tries", [0, 1])
def test_who_lost_a_fetch_removes_no_upload_that_is_in_use(world: SourceWorld, earlier_tries: int) -> None:
    # GIVEN a server that takes no ranges for a while
    for _ in range(earlier_tries):
        world.source.faults.append(CHUNK + 5)
        world.fetch()

    world.source.has_ranges = False

    def stand_still() -> None:
        world.source.has_ranges = True
        world.source.on_open = lambda: None
        world.clock.advance(200)
        world.source.faults.append(CHUNK + 5)
        assert world.app.sources.fetch(world.job_id) is FetchOutcome.RETRIED_LATER

    # WHEN a function asks for it, and stands still while another one stores a chunk
    world.source.on_open = stand_still
    assert world.fetch() is FetchOutcome.TAKEN_AWAY
    # THEN the chunks are still there
    assert len(world.chunks()) == 1 + earlier_tries


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


def test_a_chunk_that_came_after_the_cancellation_is_removed_too(world: SourceWorld) -> None:
    uploads = UploadsThatLinger(world.storage)
    uploads._uploads, world.uploads = world.uploads._uploads, uploads
    vars(world.app.ports)["uploads"] = uploads
    uploads.meanwhile = lambda: world.app.owner.cancel(world.job)
    assert world.fetch() is FetchOutcome.TAKEN_AWAY
    assert uploads.left == []
    assert world.why() == "cancelled"


@pytest.mark.parametrize("ask", ["cancel", "delete"])
@pytest.mark.parametrize("is_under_way", [False, True])
def test_nothing_is_left_of_a_job_that_its_owner_ends(
    world: SourceWorld, ask: str, is_under_way: bool
) -> None:
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


def test_a_cancellation_leaves_no_upload_that_the_fetch_has_just_begun(world: SourceWorld) -> None:
    before = world.job
    world.source.faults.extend([CHUNK + 5, CHUNK + 5])
    world.fetch()
    world.source.etag = '"two"'
    world.fetch()
    assert world.job.upload.multipart_id != before.upload.multipart_id
    world.app.owner.cancel(before)  # as it was read before the fetch began again
    assert world.why() == "cancelled"


def test_reconcile_sends_a_lost_fetch_again_until_its_limit(world: SourceWorld) -> None:
    world.fetches.sent.clear()
    sent = 0
    for _ in range(100):
        world.clock.advance(300)
        sent += world.app.upkeep.reconcile()["fetched_again"]
        if world.job.status is JobStatus.FAILED:
            break
    assert 30 < sent == len(world.fetches.sent) < 40
    assert world.why() == "source_too_slow"


def test_reconcile_takes_a_fetch_up_whose_function_died(world: SourceWorld) -> None:
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


def test_reconcile_finds_a_video_whose_event_was_lost(world: SourceWorld) -> None:
    assert world.app.sources.fetch(world.job_id) is FetchOutcome.FETCHED
    assert not world.is_accepted
    assert world.app.sources.fetch(world.job_id) is FetchOutcome.DECLINED
    world.clock.advance(300)
    assert world.app.sources.fetch(world.job_id) is FetchOutcome.FETCHED  # it is there: nobody is asked
    assert len(world.source.asked) == 1
    world.clock.advance(300)
    assert world.app.upkeep.reconcile() == {"accepted_late": 1}
    assert world.is_accepted


def test_a_video_that_is_refused_after_its_fetch_fails_although_a_function_holds_it(
    world: SourceWorld,
) -> None:
    assert world.app.sources.fetch(world.job_id) is FetchOutcome.FETCHED
    world.storage.save_bytes(world.job.upload.key, b"something else")
    world.app.intake.accept_upload(world.job.upload.key)
    assert world.why() == "invalid_mp4"
    assert world.app.ports.queue.size() == 0


def test_a_worker_leaves_a_job_alone_whose_video_is_still_fetched(world: SourceWorld) -> None:
    # GIVEN a message that the release before has sent, for which such a job is an accepted one
    claim = world.app.work.claim(QueueMessage(world.job_id, 9, "receipt"), WORKER)
    # THEN the job is not run, and not lost
    assert (claim.verdict, claim.reason) == (Verdict.ACKNOWLEDGE, "needs its video")
    world.fetches.sent.clear()
    world.clock.advance(400)
    assert world.app.upkeep.reconcile() == {"fetched_again": 1}
    assert world.fetch() is FetchOutcome.FETCHED
    assert world.is_accepted
