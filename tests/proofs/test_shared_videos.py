"""A long video that several workers compute together: the bytes are those of one worker."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from video_jobs.application import VideoJobs
from video_jobs.domain.errors import TransientError
from video_jobs.domain.job import JobStatus
from video_jobs.domain.parts import fingerprint_id_of
from video_jobs.domain.segments import MOST_UNCLAIMED, HelpMessage
from video_jobs.domain.usage import Usage
from video_jobs.ports import QueueDepth, QueueMessage
from video_jobs.use_cases.results import ResultsQuery
from video_jobs.use_cases.work import Claimant, Verdict
from video_worker.job_worker import Outcome

from functions.video_api.answers import job_resource
from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.support.crew import HOLDER, Crew, KilledError
from tests.support.numbered_video import NumberedVideo

HELPER = "helper 0"
PARTS = 20
"""Complete parts of the tiny video, two pictures each."""


@pytest.fixture
def crew(tmp_path: Path) -> Crew:
    """A holder and one helper, and a video of twenty parts."""
    crew = Crew(tmp_path / "crew")
    crew.world.submit(TINY, "misbehave", part_frames=2)
    return crew


@pytest.fixture
def expected(tmp_path: Path) -> list[bytes]:
    """The files of the same job that one worker computes alone."""
    alone = Crew(tmp_path / "alone", helpers=0, help_from_parts=1000)
    alone.world.submit(TINY, "misbehave", part_frames=2)
    assert alone.run() is Outcome.COMPLETED
    return alone.files()


def at_first(crew: Crew, name: str, act: Callable[[], object], frame: int = 0) -> None:
    """When this worker is at its first frame from ``frame`` on, something happens."""

    def call(who: str, frame_index: int) -> None:
        if who == name and frame_index >= frame:
            crew.at_frame.remove(call)
            act()

    crew.at_frame.append(call)


def after_old_messages(crew: Crew) -> Outcome:
    """What a worker does with the job, after messages that an attempt before has left."""
    while (outcome := crew.run()) is Outcome.SKIPPED:
        pass
    return outcome


def done_by(crew: Crew, name: str) -> list[int]:
    return [frame for who, frame in crew.frames if who == name]


# --- the same bytes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("helpers", [0, 1, 2])
@pytest.mark.parametrize(
    ("video", "chosen"),
    [
        (None, {}),
        (None, {"frame_stride": 3}),
        (None, {"max_frames": 31}),
        (NumberedVideo(43), {}),
        (NumberedVideo(40, lost={0, 1, 2, 3, 17, 39}, other_sizes={5: (8, 8), 31: (4, 4)}), {}),
        (NumberedVideo(43, lost={2, 20, 21}), {"max_frames": 26}),
        (NumberedVideo(80, lost={4}), {"frame_stride": 3}),
        (NumberedVideo(60, lost={30}), {"start_ms": 120, "end_ms": 1900, "frames_per_second": 20}),
    ],
)
def test_the_files_do_not_tell_how_many_workers_there_were(
    tmp_path: Path, video: NumberedVideo | None, chosen: dict[str, Any], helpers: int
) -> None:
    def ended(name: str, helpers: int, from_parts: int) -> Crew:
        crew = Crew(tmp_path / name, helpers, from_parts)
        if video is not None:
            crew.world.open_with(video)
        crew.world.submit(TINY, "misbehave", part_frames=2, **chosen)
        assert crew.run() is Outcome.COMPLETED
        return crew

    # GIVEN what a worker gives that does not share
    alone = ended("alone", 0, 1000)
    # WHEN there are others
    crew = ended("crew", helpers, 3)
    # THEN the five files are the same, and so are the warnings and the number of frames
    assert crew.files() == alone.files()
    assert crew.world.job.warnings == alone.world.job.warnings
    assert crew.world.job.progress == alone.world.job.progress
    assert crew.stored_parts == []
    # AND everybody did something, no frame twice
    assert {name for name, _ in crew.frames} == {HOLDER, *crew.idle}
    assert len(crew.frames) == len(alone.frames)
    assert {outcome for _, outcome in crew.turns} <= {Outcome.HELPED, Outcome.SKIPPED}


@pytest.mark.parametrize(
    ("video", "from_parts", "strict"),
    [
        (NumberedVideo(40, is_divisible=False), 3, False),
        (NumberedVideo(40, tells_length=False), 3, False),
        (NumberedVideo(40), 21, False),
        (NumberedVideo(40), 3, True),
    ],
    ids=["not divisible", "no length", "too short", "strict order"],
)
def test_what_is_not_shared_makes_no_call(
    tmp_path: Path, video: NumberedVideo, from_parts: int, strict: bool
) -> None:
    crew = Crew(tmp_path / "crew", 1, from_parts)
    rules = crew.world.app.rules
    rules = replace(rules, fleet=replace(rules.fleet, strict_order=strict))
    crew.world.app = VideoJobs(crew.world.app.ports, rules)
    crew.world.open_with(video)
    crew.world.submit(TINY, "misbehave", part_frames=2)
    assert crew.run() is Outcome.COMPLETED
    assert crew.turns == []
    assert "segments" not in vars(crew.world.app.ports)
    assert crew.world.job.usage is not None
    assert crew.world.job.usage.frames == 40


def test_no_more_messages_wait_than_there_may(tmp_path: Path) -> None:
    crew = Crew(tmp_path / "crew", helpers=0)
    crew.world.submit(TINY, "misbehave", part_frames=2)
    waiting: list[int] = []
    crew.at_frame.append(lambda *_: waiting.append(crew.world.queue.depth().visible))
    assert crew.run() is Outcome.COMPLETED
    assert max(waiting) == min(MOST_UNCLAIMED, crew.world.app.rules.running_per_owner - 1)
    # AND who receives them later has nothing to do
    names = [crew.run("late") for _ in range(max(waiting) + 1)]
    assert names == [Outcome.SKIPPED] * max(waiting) + [Outcome.IDLE]


# --- what reaches a helper ----------------------------------------------------------------------------


def cancel(crew: Crew) -> None:
    crew.world.app.owner.cancel(crew.world.job)


def delete(crew: Crew) -> None:
    owner = crew.world.app.owner
    owner.delete(owner.cancel(crew.world.job))


@pytest.mark.parametrize("end", [cancel, delete])
def test_the_end_of_the_job_reaches_all_workers_within_a_heartbeat(
    crew: Crew, end: Callable[[Crew], None]
) -> None:
    at_first(crew, HELPER, lambda: end(crew), frame=6)
    assert crew.run() is Outcome.LOST
    assert crew.turns[-1] == (HELPER, Outcome.SKIPPED)
    ended = next(place for place, one in enumerate(crew.frames) if one[0] == HELPER and one[1] >= 6)
    assert len(crew.frames) <= ended + 2
    # AND nobody takes it up again
    assert {crew.run(f"late {number}") for number in range(5)} <= {Outcome.SKIPPED, Outcome.IDLE}


def test_a_helper_that_is_stopped_leaves_its_segment_to_others(crew: Crew, expected: list[bytes]) -> None:
    seen = []

    def stop() -> None:
        crew.stop(HELPER)
        seen.append(next(one for one in crew.segments if one.lease and one.lease.worker_id == HELPER))

    at_first(crew, HELPER, stop, frame=8)
    assert crew.run() is Outcome.COMPLETED
    assert (HELPER, Outcome.SKIPPED) in crew.turns
    assert crew.files() == expected
    # AND they did not wait for the end of its lease
    after = next(one for one in crew.segments if one.number == seen[0].number)
    assert (after.claims, after.is_done) == (2, True)
    assert seen[0].lease is not None
    assert crew.world.clock.now() < seen[0].lease.expires_at


def test_a_holder_that_is_stopped_stops_its_helpers_and_the_next_one_goes_on(
    crew: Crew, expected: list[bytes]
) -> None:
    # GIVEN a stop of the holder while both work
    at_first(crew, HELPER, lambda: crew.stop(HOLDER), frame=8)
    assert crew.run() is Outcome.RETURNED
    left = {one.number: one for one in crew.segments}
    stored = len(crew.stored_parts)
    # WHEN another worker takes the job up
    crew.frames.clear()
    crew.turns.clear()
    crew.world.clock.advance(crew.world.settings.lease_s)
    assert after_old_messages(crew) is Outcome.COMPLETED
    # THEN it goes on with the segments of the first attempt, and gets help
    assert crew.files() == expected
    assert (HELPER, Outcome.HELPED) in crew.turns
    assert {one.number for one in crew.segments} > set(left)
    for one in crew.segments:
        assert one.number not in left or one.parts == left[one.number].parts
    assert len(crew.frames) == 2 * (PARTS - stored)


def test_helpers_help_whoever_has_taken_the_job_over(crew: Crew, expected: list[bytes]) -> None:
    outcomes: list[Outcome] = []

    def take_over() -> None:
        """The first holder is not heard of for so long that another worker takes the job."""
        crew.pass_time(2 * crew.world.settings.lease_s)
        crew.turns.clear()
        outcomes.append(crew.run("successor"))

    at_first(crew, HOLDER, take_over, frame=8)
    assert crew.run() is Outcome.LOST
    assert outcomes == [Outcome.COMPLETED]
    assert crew.world.job.attempt == 2
    assert (HELPER, Outcome.HELPED) in crew.turns
    assert crew.files() == expected


class OtherModels:
    """An analysis service with another fingerprint."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew

    def __getattr__(self, name: str) -> Any:
        return getattr(self._crew.world.pipelines, name)

    def fingerprint(self, *_: object) -> dict[str, Any]:
        return {"id": "other"}


def test_helpers_with_other_models_decline(crew: Crew, expected: list[bytes]) -> None:
    crew.pipelines[HELPER] = OtherModels(crew)
    assert crew.run() is Outcome.COMPLETED
    assert {outcome for _, outcome in crew.turns} == {Outcome.SKIPPED}
    assert done_by(crew, HELPER) == []
    assert crew.files() == expected
    assert crew.world.queue.depth() == QueueDepth(0, 0)


def test_a_successor_with_other_models_ends_the_help_of_the_others(crew: Crew) -> None:
    crew.pipelines["successor"] = OtherModels(crew)
    frames_after: list[int] = []

    def take_over() -> None:
        del crew._hearts[HOLDER]
        crew.pass_time(2 * crew.world.settings.lease_s, HELPER)
        crew.run("successor")
        frames_after.append(len(done_by(crew, HELPER)))

    at_first(crew, HELPER, take_over, frame=8)
    crew.run()
    assert crew.world.job.status is JobStatus.COMPLETED
    assert crew.world.job.fingerprint == {"id": "other"}
    assert crew.turns[-1] == (HELPER, Outcome.SKIPPED)
    assert len(done_by(crew, HELPER)) == frames_after[0]


def test_the_error_of_a_helper_costs_no_job(crew: Crew, expected: list[bytes]) -> None:
    def fail() -> None:
        raise TransientError

    at_first(crew, HELPER, fail, frame=8)
    assert crew.run() is Outcome.COMPLETED
    assert (HELPER, Outcome.SKIPPED) in crew.turns
    assert crew.world.job.failures == 0
    assert crew.files() == expected


def test_a_frame_on_which_everybody_fails_fails_the_job_with_its_reason(crew: Crew) -> None:
    def fail(_: str, frame_index: int) -> None:
        if frame_index == 21:
            raise ValueError(frame_index)

    crew.at_frame.append(fail)
    assert crew.run() is Outcome.FAILED
    assert crew.world.error_message == "The pipeline misbehave failed on this video (ValueError)"


# --- what is missing ----------------------------------------------------------------------------------


def test_a_part_that_is_not_there_is_computed_whoever_said_that_it_is_done(
    crew: Crew, expected: list[bytes]
) -> None:
    lost: list[int] = []

    def lose_a_part(name: str, frame_index: int) -> None:
        """The last part of a segment that a helper has done, and that the holder has not come to."""
        done = [one for one in crew.segments if one.is_done and one.first_part > frame_index // 2]
        if name == HOLDER and not lost and done:
            lost.append(done[0].parts[-1])
            crew.world.storage.delete_files([crew.part_key(lost[0])])

    crew.at_frame.append(lose_a_part)
    assert crew.run() is Outcome.COMPLETED
    assert lost
    assert crew.files() == expected


def test_a_segment_whose_helper_vanished_is_taken_over(crew: Crew, expected: list[bytes]) -> None:
    def die() -> None:
        raise KilledError

    at_first(crew, HELPER, die, frame=8)
    assert crew.run() is Outcome.COMPLETED
    assert (HELPER, Outcome.LOST) in crew.turns
    assert crew.files() == expected
    assert max(one.claims for one in crew.segments) == 2


# --- what others see ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("lost", "is_ahead"), [({9, 20}, True), (range(9, 31), False)], ids=["few", "many"])
def test_the_progress_counts_everybodys_frames_and_never_goes_back(
    tmp_path: Path, lost: Collection[int], is_ahead: bool
) -> None:
    crew = Crew(tmp_path / "crew", helpers=2)
    crew.world.open_with(NumberedVideo(40, lost=lost))
    crew.world.submit(TINY, "misbehave", part_frames=2)
    assert crew.run() is Outcome.COMPLETED
    frames = [one.frames_done for one in crew.progress]
    assert frames == sorted(frames)
    assert max(frames) <= 40
    assert {one.frames_total for one in crew.progress} == {40}
    # AND it counts what helpers have stored long before it is joined
    assert any(one.frames_done > 2 * (one.parts_done + 1) for one in crew.progress) is is_ahead


def test_the_job_resource_tells_how_many_helpers_there_are(crew: Crew) -> None:
    crew.idle.clear()
    app, shown = crew.world.app, [0]

    def claim() -> None:
        """Somebody claims a segment, and is not heard of again."""
        asked = HelpMessage(crew.world.job_id, 2)
        claimant = Claimant(worker_id="other", lease=timedelta(seconds=10))
        assert app.help.claim(asked, claimant, lambda job: fingerprint_id_of(job) or "").segment

    def look(*_: object) -> None:
        if (now := job_resource(crew.world.job)["helpers"]) != shown[-1]:
            shown.append(now)

    crew.at_frame.append(look)
    at_first(crew, HOLDER, claim, frame=4)
    assert crew.run() is Outcome.COMPLETED
    look()
    assert shown == [0, 1, 0]


# --- what it used -------------------------------------------------------------------------------------


def used(crew: Crew) -> Usage:
    found = crew.world.job.usage
    assert found is not None
    return found


def fail_at(crew: Crew, name: str, frame: int, error: type[Exception]) -> None:
    def fail() -> None:
        raise error

    at_first(crew, name, fail, frame)


def test_the_usage_has_the_help(crew: Crew) -> None:
    assert crew.run() is Outcome.COMPLETED
    fetched = [one.used.bytes for one in crew.segments if one.used.frames]
    assert len(fetched) == sum(outcome is Outcome.HELPED for _, outcome in crew.turns) > 3
    assert min(fetched) > 0
    assert (used(crew).frames, used(crew).bytes) == (40, TINY.stat().st_size + sum(fetched))
    # AND its time: all frames of helpers pass within frames of the holder
    lasted = crew.world.job.updated_at - crew.world.job.created_at
    assert used(crew).compute_ms > lasted / timedelta(milliseconds=1)


def test_the_usage_of_a_failed_job_has_the_help_once_although_it_is_tried_again(crew: Crew) -> None:
    # GIVEN a failed job, two pictures of a part of which are computed again
    fail_at(crew, HOLDER, 20, ValueError)
    assert crew.run() is Outcome.FAILED
    assert used(crew).frames == len(crew.frames) - 1
    # WHEN it is tried again
    crew.world.app.owner.retry(crew.world.job)
    assert after_old_messages(crew) is Outcome.COMPLETED
    # THEN each frame that somebody analysed counts once
    assert used(crew).frames == len(crew.frames) - 1


def test_the_usage_of_an_attempt_that_was_given_back_has_the_help_once(crew: Crew) -> None:
    fail_at(crew, HOLDER, 20, TransientError)
    assert crew.run() is Outcome.RETURNED
    crew.world.clock.advance(60)
    assert after_old_messages(crew) is Outcome.COMPLETED
    assert used(crew).frames == len(crew.frames) - 1


def test_partial_results_are_final_while_the_job_is_shared(crew: Crew) -> None:
    pages: list[bytes] = []

    def read(*_: object) -> None:
        answer = crew.world.app.partial_results.read(crew.world.job, ResultsQuery(limit=1000))
        assert answer.parts == crew.world.job.progress.parts_done
        pages.append(answer.page.frames_json)

    crew.at_frame.append(read)
    assert crew.run() is Outcome.COMPLETED
    whole = crew.world.results()
    assert len(set(pages)) > 3
    assert all(page in whole for page in pages)


def test_a_message_that_asks_for_help_is_no_dead_letter_of_its_job(crew: Crew) -> None:
    seen: list[JobStatus] = []

    def bury() -> None:
        body = HelpMessage(crew.world.job_id, 1).body
        assert crew.world.app.upkeep.bury(body, 0) is None
        seen.append(crew.world.job.status)

    at_first(crew, HELPER, bury)
    assert crew.run() is Outcome.COMPLETED
    assert seen == [JobStatus.RUNNING]


def test_a_worker_of_before_takes_such_a_message_from_the_queue(crew: Crew) -> None:
    """It takes the body for the id of a job."""
    verdicts: list[Verdict] = []

    def receive() -> None:
        message = QueueMessage(HelpMessage(crew.world.job_id, 1).body, 0, "receipt", 1)
        claimant = Claimant(worker_id="old", lease=timedelta(minutes=1))
        verdicts.append(crew.world.app.work.claim(message, claimant).verdict)

    at_first(crew, HELPER, receive)
    assert crew.run() is Outcome.COMPLETED
    assert verdicts == [Verdict.ACKNOWLEDGE]
