"""Waiting for a job, and reading its results page by page."""

from __future__ import annotations

import math
import threading
import time
from typing import Any

import httpx2
import pytest
from video_jobs_client import errors
from video_jobs_client.protocol.calls import Calls
from video_jobs_client.protocol.effects import (
    Answer,
    Effect,
    NoAnswer,
    Pause,
    Send,
    Steps,
    call,
    pause,
    together,
)
from video_jobs_client.protocol.retries import Retries
from video_jobs_client.protocol.waiting import Waiting, wait

from tests.support.played_service import JOB_ID, PlayedService, answer, job, problem, status_of
from tests.unit.test_client_requests import BOTH


class Clocked:
    """Does the steps in simulated time; each request takes ``takes_s``."""

    def __init__(self, replies: list[httpx2.Response | NoAnswer], takes_s: float = 0.0) -> None:
        self.replies, self.takes_s = replies, takes_s
        self.now = 0.0
        self.pauses: list[float] = []

    def run(self, steps: Steps[Any]) -> Any:
        value: Any = None
        while True:
            try:
                value = self._do(steps.send(value))
            except StopIteration as end:
                return end.value

    def _do(self, effect: Effect) -> Any:
        if isinstance(effect, Pause):
            self.pauses.append(effect.seconds)
            self.now += effect.seconds
            return None
        assert isinstance(effect, Send)
        allowed = self.takes_s if effect.within_s is None else min(self.takes_s, effect.within_s)
        self.now += allowed
        if allowed < self.takes_s:
            return NoAnswer("no answer in time")
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, NoAnswer):
            return reply
        return Answer(reply.status_code, dict(reply.headers), reply.content)

    def wait(self, **how: Any) -> Any:
        calls = Calls("https://api.example.com", Retries(random=lambda: 1.0))
        return self.run(wait(calls, JOB_ID, Waiting(clock=lambda: self.now, **how)))


def told(body: dict[str, Any], retry_after: str) -> httpx2.Response:
    return httpx2.Response(200, json=body, headers={"retry-after": retry_after})


def test_the_service_says_when_to_ask_again() -> None:
    waits = [told(status_of("pending"), after) for after in ("2", "7")]
    clocked = Clocked(
        [*waits, answer(status_of("running")), answer(status_of("completed")), answer(job("completed"))]
    )
    assert clocked.wait().status == "completed"
    assert clocked.pauses == [2, 7, 2]


@pytest.mark.parametrize("timeout_s", [0.5, 5, 61])
@pytest.mark.parametrize("takes_s", [0, 0.3, 40])
@pytest.mark.parametrize(
    "reply",
    [told(status_of("running"), "10"), answer({}, 500), NoAnswer("away")],
    ids=["running", "failing", "away"],
)
def test_a_wait_never_goes_beyond_its_timeout(
    reply: httpx2.Response | NoAnswer, takes_s: float, timeout_s: float
) -> None:
    clocked = Clocked([reply], takes_s)
    with pytest.raises((errors.WaitTimeoutError, errors.ServerError, errors.ServiceUnreachableError)):
        clocked.wait(timeout_s=timeout_s)
    assert clocked.now <= timeout_s


def test_the_message_of_a_timeout_names_the_job_and_says_that_it_goes_on() -> None:
    clocked = Clocked([answer(status_of("running"))])
    with pytest.raises(errors.WaitTimeoutError, match=f"Job {JOB_ID} is running after 5 seconds; it goes on"):
        clocked.wait(timeout_s=5)


def test_a_status_that_nobody_knows_ends_the_wait() -> None:
    with pytest.raises(errors.UnknownStatusError, match=r'"paused".*newer'):
        Clocked([answer(status_of("paused"))]).wait()


def test_a_job_that_failed_is_an_error_with_its_reason_unless_that_is_not_wanted() -> None:
    failed = job("failed", error={"code": "invalid_mp4", "message": "Invalid MP4 file: a WebM file"})
    replies = [answer(job()), answer(status_of("failed")), answer(failed)]
    with (
        PlayedService([*replies]).client() as client,
        pytest.raises(errors.JobFailedError, match="a WebM file") as raised,
    ):
        client.jobs.get(JOB_ID).wait()
    assert (raised.value.job_id, raised.value.code) == (JOB_ID, "invalid_mp4")
    with PlayedService([*replies]).client() as client:
        assert client.jobs.get(JOB_ID).wait(check=False).status == "failed"


def test_progress_is_told_with_the_job_as_it_is() -> None:
    seen: list[tuple[str, int | None]] = []
    replies = [answer(job()), answer(status_of("running")), answer(job("running", percent=40))]
    replies += [answer(status_of("completed")), answer(job("completed", percent=100))]
    with PlayedService([*replies]).client() as client:
        client.jobs.get(JOB_ID).wait(
            60, lambda one: seen.append((one.status, one.resource.percent)), poll_s=0.001
        )
    assert seen == [("running", 40), ("completed", 100)]


def page(*indices: int, cursor: str | None = None, **more: Any) -> httpx2.Response:
    frames = [{"frame_index": index, "result": {"text": f"{index}"}} for index in indices]
    times = [index * 100 for index in indices]
    return answer({"results": frames, "timestamps_ms": times, "next_cursor": cursor, **more})


def asked(service: PlayedService) -> list[dict[str, str]]:
    return [dict(one.url.params) for one in service.asked[1:]]


def test_frames_come_page_by_page_as_they_are_needed() -> None:
    service = PlayedService([answer(job("completed")), page(0, 2, cursor="c"), page(4)])
    with service.client() as client:
        frames = client.jobs.get(JOB_ID).frames(from_ms=0)
        first = next(frames)
        assert len(service.asked) == 2
        rest = list(frames)
    assert [(one.index, one.timestamp_ms, one.lines) for one in (first, *rest)] == [
        (0, 0, ["0"]),
        (2, 200, ["2"]),
        (4, 400, ["4"]),
    ]
    first_query = {"from_ms": "0", "include": "tracks"}
    assert asked(service) == [first_query, {**first_query, "cursor": "c"}]


def test_a_job_from_before_there_were_summaries_has_frames_without_tracks() -> None:
    service = PlayedService([answer(job("completed")), problem("no_summary", 404), page(0)])
    with service.client() as client:
        (frame,) = client.jobs.get(JOB_ID).frames()
    assert frame.track_ids is None
    assert asked(service) == [{"include": "tracks"}, {}]


def test_partial_frames_are_given_until_the_job_is_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("video_jobs_client.protocol.paging._PAUSE_S", 0.001)
    replies = [page(complete=False), page(0, cursor="a", complete=False), page(cursor="a", complete=False)]
    service = PlayedService([answer(job("running")), *replies, page(2, complete=True)])
    with service.client() as client:
        assert [frame.index for frame in client.jobs.get(JOB_ID).frames(partial=True)] == [0, 2]
    partial = {"partial": "true"}
    assert asked(service) == [partial, partial, {**partial, "cursor": "a"}, {**partial, "cursor": "a"}]


def test_results_that_began_anew_are_an_error_of_their_own() -> None:
    service = PlayedService(
        [answer(job("running")), page(0, cursor="a", complete=False), problem("results_restarted", 409)]
    )
    with service.client() as client, pytest.raises(errors.ResultsRestartedError):
        list(client.jobs.get(JOB_ID).frames(partial=True))


def test_a_list_goes_over_empty_pages_and_ends_at_its_limit() -> None:
    pages = [
        answer({"jobs": [job()], "next_cursor": "a"}),
        answer({"jobs": [], "next_cursor": "b"}),
        answer({"jobs": [job("running"), job("failed")], "next_cursor": "c"}),
    ]
    service = PlayedService([*pages])
    with service.client() as client:
        assert [one.status for one in client.jobs.list(status="x", limit=2)] == ["pending", "running"]
    assert [one.url.params.get("cursor") for one in service.asked] == [None, "a", "b"]


@BOTH
@pytest.mark.parametrize("timeout_s", [math.inf, 1e11])
def test_a_wait_may_be_as_long_as_somebody_likes(timeout_s: float, is_async: bool) -> None:
    def after_a_moment(_: httpx2.Request) -> httpx2.Response:
        time.sleep(0.05)
        return answer(status_of("completed"))

    service = PlayedService([answer(job()), after_a_moment, answer(job("completed"))])
    assert waited(service, timeout_s, is_async) == "completed"


@BOTH
def test_a_wait_of_no_time_asks_once(is_async: bool) -> None:
    ended = PlayedService([answer(job()), answer(status_of("completed")), answer(job("completed"))])
    assert waited(ended, 0, is_async) == "completed"
    runs = PlayedService([answer(job()), answer(status_of("running"))])
    with pytest.raises(errors.WaitTimeoutError, match=f"Job {JOB_ID} is running; it goes on"):
        waited(runs, 0, is_async)
    away = PlayedService([answer(job()), answer({}, 503)])
    with pytest.raises(errors.ServerError):
        waited(away, 0, is_async)


@pytest.mark.parametrize(("asked_for", "pause_s"), [("0", 0.1), ("99999999999999", 300), ("9" * 400, 300)])
def test_what_the_service_asks_for_is_obeyed_within_reason(asked_for: str, pause_s: float) -> None:
    replies = [told(status_of("running"), asked_for), answer(status_of("completed"))]
    clocked = Clocked([*replies, answer(job("completed"))])
    clocked.wait()
    assert clocked.pauses == [pause_s]


@BOTH
def test_a_pause_may_be_longer_than_threads_can_wait(is_async: bool) -> None:
    # GIVEN an operation that pauses for longer than anybody lives
    service, begun = PlayedService([]), threading.Event()

    def steps() -> Steps[None]:
        begun.set()
        yield from pause(1e14)

    # WHEN it runs beside one that fails, THEN it does not fail by itself
    def fails() -> Steps[None]:
        yield from call(lambda: begun.wait(20))
        yield from pause(0.05)
        raise errors.DownloadError("the other one")

    both = together([steps(), fails()], 2)
    with service.user(is_async) as user, pytest.raises(errors.DownloadError, match="the other one"):
        user.do(user.client._driver.run, both)


@BOTH
def test_partial_frames_of_a_job_that_fails_end_with_its_reason(is_async: bool) -> None:
    failed = job("failed", error={"code": "invalid_mp4", "message": "a WebM file"})
    pages = [page(0, cursor="a", complete=False), problem("job_not_completed", 404), answer(failed)]
    service = PlayedService([answer(job("running")), *pages])
    with service.user(is_async) as user, pytest.raises(errors.JobFailedError, match="a WebM file"):
        user.every(user.job(JOB_ID).frames, partial=True)


def waited(service: PlayedService, timeout_s: float, is_async: bool, **settings: Any) -> str:
    """The status that ``wait`` ends with."""
    with service.user(is_async, **settings) as user:
        status: str = user.do(user.job(JOB_ID).wait, timeout_s).status
        return status
