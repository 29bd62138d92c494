"""``GET /video/results/{job_id}?partial=true``: over HTTP events, and while a worker runs the job."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from video_jobs.application import VideoJobs
from video_jobs.domain import changes
from video_jobs.domain.job import JobStatus, Progress
from video_jobs.use_cases.work import LeaseLostError
from video_worker.heartbeat import Heartbeat
from video_worker.job_worker import Outcome

from functions.video_api import answer_models
from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.integration.conftest import EVENT_JOB_ID, answer_of, asked, call, refusal
from tests.integration.job_states import LEASE, failed_job, running_job
from tests.support.clock import ManualClock
from tests.support.numbered_video import NumberedVideo
from tests.support.run_in_parts import RunInParts, frame
from tests.support.worker_world import RULES, World, misbehave, on_frame

PARTIAL = {"partial": "true"}


@pytest.fixture
def run(app: VideoJobs) -> RunInParts:
    """Two parts are there, and the third one will not be complete."""
    parts = [[frame(0), frame(1)], [frame(2), frame(3)], [frame(4)]]
    run = RunInParts(app, running_job(app), parts)
    run.store(2)
    return run


def answer_to(query: dict[str, str], known_tag: str = "none") -> dict[str, Any]:
    event = asked("results", query)
    event["headers"]["if-none-match"] = known_tag
    return answer_of(event)


def test_the_frames_that_are_there_come_as_they_are_at_the_end(run: RunInParts) -> None:
    answer = answer_to(PARTIAL)
    body = json.loads(answer["body"])
    assert answer_models.Results.model_validate(body, strict=True)
    assert [found["frame_index"] for found in body["results"]] == [0, 1, 2, 3]
    assert (body["results_url"], body["complete"], answer["headers"]["Retry-After"]) == (None, False, "2")
    assert body["next_cursor"]
    # AND who does not ask for them gets what was always answered
    assert refusal(asked("results")) == refusal(asked("results", {"partial": "false"}))
    assert refusal(asked("results")) == (404, "job_not_completed")
    run.complete()
    assert "complete" not in call("results")[1]
    # AND a completed job says so
    whole = answer_to(PARTIAL)
    assert "Retry-After" not in whole["headers"]
    assert json.loads(whole["body"]).items() >= {"complete": True, "next_cursor": None}.items()
    assert json.loads(whole["body"])["results_url"]
    # AND the bytes are the same
    beginning = answer_to(PARTIAL | {"limit": "4"})["body"]
    assert answer["body"].partition('"job_id"')[0] == beginning.partition('"job_id"')[0]


def test_the_tag_changes_with_each_part_and_at_the_end_only(app: VideoJobs, run: RunInParts) -> None:
    tag = answer_to(PARTIAL)["headers"]["ETag"]
    # GIVEN a heartbeat without a further part
    progress = Progress(5, 9, run.job.progress.parts_done)
    now = app.ports.clock.now()
    app.ports.jobs.update_status(changes.heartbeat(run.job, lease=LEASE, progress=progress, now=now))
    answer = answer_to(PARTIAL, tag)
    assert (answer["statusCode"], answer["headers"]["ETag"]) == (304, tag)
    assert answer["headers"]["Retry-After"] == "2"
    # AND another query
    assert answer_to(PARTIAL | {"limit": "1"}, tag)["statusCode"] == 200
    # AND a further part, the same number of parts of another run, and the end
    tags = {tag}
    moves: list[Callable[[], None]] = [
        lambda: run.store(1),
        lambda: run.change(fingerprint={"id": "g"}),
        run.complete,
    ]
    for move in moves:
        move()
        tags.add(answer_to(PARTIAL, tag)["headers"]["ETag"])
    assert len(tags) == 4
    assert answer_to(PARTIAL, answer_to(PARTIAL)["headers"]["ETag"])["statusCode"] == 304


def test_a_tag_that_was_given_without_a_part_does_not_hide_it(run: RunInParts) -> None:
    # GIVEN a worker of the release before, which leaves the number of another run's parts
    run.change(progress=Progress(parts_done=9))
    tag = answer_to(PARTIAL)["headers"]["ETag"]
    # THEN the client is not told that nothing is new
    assert answer_to(PARTIAL, tag)["statusCode"] == 200
    # BUT a worker that tells the true number brings nothing new
    run.change(progress=Progress(parts_done=2))
    assert answer_to(PARTIAL, tag)["statusCode"] == 304


@pytest.mark.parametrize("other", ["from_frame", "to_frame", "from_ms", "to_ms"])
def test_ranges_do_not_go_with_partial_results(run: RunInParts, other: str) -> None:
    status, body = call(asked("results", PARTIAL | {other: "0", "limit": "1"}))
    assert (status, body["code"]) == (400, "invalid_request")
    assert f"partial goes with cursor and limit only, not with {other}" in body["detail"]
    assert refusal(asked("results", PARTIAL | {"cursor": "abc"})) == (400, "invalid_cursor")
    assert refusal(asked("results", {"partial": "perhaps"})) == (400, "invalid_request")


def test_a_failed_job_has_none(app: VideoJobs) -> None:
    failed_job(app)
    for tag in ("none", "*"):
        assert answer_to(PARTIAL, tag)["statusCode"] == 404


# --- while a worker runs -----------------------------------------------------------------------------


class EagerHeartbeat(Heartbeat):
    """Records every progress at once, and then calls ``told``."""

    def __init__(self, told: Callable[[Progress], None], *arguments: Any) -> None:
        self._told = told
        super().__init__(*arguments)

    @property
    def progress(self) -> Progress:
        return self._progress

    @progress.setter
    def progress(self, progress: Progress) -> None:
        self._progress = progress
        self.beat()
        self._told(progress)


class Client:
    """Reads the partial results of a world's job over HTTP, two frames at a time."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.cursor: str | None = None
        self.body: dict[str, Any] = {}
        self.frames: list[Any] = []
        self.times_ms: list[float] = []

    def ask(self) -> tuple[int, dict[str, Any]]:
        query = PARTIAL | {"limit": "2"} | ({"cursor": self.cursor} if self.cursor else {})
        event = asked("results", query, self._world.job.owner)
        return call(json.loads(json.dumps(event).replace(EVENT_JOB_ID, self._world.job_id)))

    def go_on(self) -> None:
        """Read all that is there now."""
        while True:
            status, self.body = self.ask()
            assert status == 200
            self.frames += self.body["results"]
            self.times_ms += self.body["timestamps_ms"]
            self.cursor = self.body["next_cursor"]
            if not self.cursor or not self.body["results"]:
                return


@pytest.fixture
def world(app: VideoJobs, clock: ManualClock, tmp_path: Path) -> Iterator[World]:
    """A job of ten pictures, four a part; the third one cannot be decoded."""
    world = World(tmp_path, VideoJobs(app.ports, RULES))
    world.clock = clock
    world.open_with(NumberedVideo(10, lost={2}))
    world.submit(TINY, "misbehave", part_frames=4)
    yield world
    on_frame().clear()


def work(world: World, told: Callable[[Progress], None]) -> Outcome:
    return world.worker(heartbeat_type=partial(EagerHeartbeat, told)).run_once()


def test_a_client_reads_along_with_the_worker(world: World) -> None:
    client = Client(world)
    seen: set[tuple[int, int]] = set()

    def read(progress: Progress) -> None:
        client.go_on()
        assert world.job.progress == progress
        assert world.job.status is JobStatus.RUNNING
        assert client.body["complete"] is False
        seen.add((progress.parts_done, len(client.frames)))

    # GIVEN a worker that stops in the middle of the last part, and another one that goes on
    def read_and_fail(progress: Progress) -> None:
        read(progress)
        if progress.frames_done == 8:
            raise LeaseLostError

    assert work(world, read_and_fail) is Outcome.LOST
    assert seen == {(0, 0), (1, 3), (2, 7)}
    world.clock.advance(100)
    assert work(world, read) is Outcome.COMPLETED
    # THEN the last part, which is not complete, is never there before the end
    assert seen == {(0, 0), (1, 3), (2, 7)}
    # AND the client has all frames at the end
    client.go_on()
    assert client.body["complete"] is True
    results = json.loads(world.results())
    assert (client.frames, client.times_ms) == (results["results"], results["timestamps_ms"])


def test_a_worker_with_another_fingerprint_begins_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN a client that has the frames of the first part when the worker dies
    early, late = Client(world), Client(world)

    def die(progress: Progress) -> None:
        if progress.parts_done == 1:
            early.go_on()
            raise LeaseLostError

    assert work(world, die) is Outcome.LOST
    assert len(early.frames) == 3
    # WHEN one with other libraries takes over
    monkeypatch.setattr(world.pipelines, "fingerprint", lambda *_: {"id": "other"})
    world.clock.advance(100)
    answers: list[Any] = []

    def read(_: Progress) -> None:
        if world.job.fingerprint == {"id": "other"}:
            status, body = early.ask()
            answers.append((status, body["code"]))
            late.go_on()

    assert work(world, read) is Outcome.COMPLETED
    # THEN the client is told to start again, before the end and after it
    status, body = early.ask()
    answers.append((status, body["code"]))
    assert set(answers) == {(409, "results_restarted")}
    assert "start again without the cursor" in body["detail"]
    # AND who starts again has all
    assert len(late.frames) == 7
    late.go_on()
    assert (len(late.frames), late.body["complete"]) == (9, True)


def test_from_the_opening_on_the_parts_are_those_of_the_new_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN a worker that died when one part was there
    def die(progress: Progress) -> None:
        if progress.parts_done == 1:
            raise LeaseLostError

    work(world, die)
    # WHEN others take over and die at their first frame, before any heartbeat
    fingerprint = world.pipelines.fingerprint("misbehave")

    def die_at_once(_: int) -> None:
        raise LeaseLostError

    misbehave(world, die_at_once)
    for found, opening in (({"id": "other"}, Progress(0, 10, 0)), (fingerprint, Progress(3, 10, 1))):
        monkeypatch.setattr(world.pipelines, "fingerprint", lambda *_, found=found: found)
        world.clock.advance(100)
        assert world.worker().run_once() is Outcome.LOST
        # THEN what is told belongs to the fingerprint
        assert (world.job.fingerprint, world.job.progress) == (found, opening)
