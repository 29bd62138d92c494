"""What the clients do when connections break, answers are late, or the service refuses for some time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from email.utils import format_datetime

import pytest
from video_jobs_client import errors
from video_jobs_client.uploads import UploadSettings

from tests.support.client_user import NOW, ClientUser
from tests.support.misbehaving_server import MisbehavingServer, cut, hang_up, reply, slow
from tests.support.played_service import JOB_ID, job, status_of

JOB, STATUS = f"GET /video/jobs/{JOB_ID}", f"GET /video/status/{JOB_ID}"
RESULTS, SUMMARY = f"GET /video/results/{JOB_ID}", f"GET /video/summary/{JOB_ID}"
JOBS = "GET /video/jobs"
SUBMIT, UPLOAD = "POST /video/submit", f"/video/jobs/{JOB_ID}/upload"
GOOD = reply(job("running"))
SHORT_S = 0.5
VIDEO, PART_BYTES = b"0123456789abcde", 10
Behaviour = Callable[[MisbehavingServer, ClientUser], None]
WHEN: dict[str, tuple[Behaviour, float]] = {}
"""What is done when something goes wrong, and the client's timeout; the page has a row for each."""


def when(words: str, timeout_s: float = 10.0) -> Callable[[Behaviour], Behaviour]:
    def named(behaviour: Behaviour) -> Behaviour:
        WHEN[words] = behaviour, timeout_s
        return behaviour

    return named


# --- connections -----------------------------------------------------------------------------------


@when("nobody listens at the address")
def nobody_listens(server: MisbehavingServer, user: ClientUser) -> None:
    server.__exit__()
    with pytest.raises(errors.ServiceUnreachableError, match="no connection"):
        user.job(JOB_ID)
    assert len(user.retried) == 5


@when("the connection breaks before an answer comes")
def breaks_before(server: MisbehavingServer, user: ClientUser) -> None:
    server.moves[JOB] = [hang_up(), hang_up(), GOOD]
    assert user.job(JOB_ID).status == "running"
    assert server.calls == [JOB] * 3


@when("the connection breaks in the middle of an answer")
def breaks_in_the_middle(server: MisbehavingServer, user: ClientUser) -> None:
    server.moves[JOB] = [cut(job(), 30), cut(job(), 200), GOOD]
    assert user.job(JOB_ID).status == "running"
    assert server.calls == [JOB] * 3


@when("the connection breaks while the video is sent")
def breaks_while_sent(server: MisbehavingServer, user: ClientUser) -> None:
    video = bytes(20 * 2**20)
    server.moves = {SUBMIT: [hang_up(is_unread=True), reply({"job_id": JOB_ID}, 201)], JOB: [GOOD]}
    user.do(user.client.analyse, video, upload=UploadSettings(method="body"))
    assert [one.content == video for one in server.asked] == [False, True, False]


@when("a submit was carried out, and its answer is lost")
def answer_to_submit_is_lost(server: MisbehavingServer, user: ClientUser) -> None:
    lost = [hang_up(), cut({"job_id": JOB_ID}, 90), reply({}, 502)]
    server.moves = {SUBMIT: [*lost, reply({"job_id": JOB_ID}, 201)], JOB: [GOOD]}
    assert user.do(user.client.analyse, VIDEO).id == JOB_ID
    sent = [(one.headers["idempotency-key"], one.content) for one in server.asked if one.call == SUBMIT]
    assert (len(sent), len(set(sent)), sent[0][1]) == (4, 1, VIDEO)  # so the service makes one job


# --- time ------------------------------------------------------------------------------------------


@when("no answer comes within `timeout_s`", SHORT_S)
def no_answer_in_time(server: MisbehavingServer, user: ClientUser) -> None:
    server.moves[JOB] = [slow(job(), 2 * SHORT_S), GOOD]
    assert user.job(JOB_ID).status == "running"
    assert {one.reason for one in user.retried} == {"no answer in time"}


@when("an answer stops for longer than `timeout_s`", SHORT_S)
def answer_stops(server: MisbehavingServer, user: ClientUser) -> None:
    server.moves[JOB] = [slow(job(), 2 * SHORT_S, start=200), GOOD]
    assert user.job(JOB_ID).status == "running"
    assert {one.reason for one in user.retried} == {"no answer in time"}


@when("an answer comes slowly, with shorter pauses", 2 * SHORT_S)
def answer_is_slow(server: MisbehavingServer, user: ClientUser) -> None:
    server.moves[JOB] = [slow(job("running"), 0.1, step=60)]
    assert user.job(JOB_ID).status == "running"
    assert user.retried == []


@when("an answer is not complete when the timeout of `wait` ends")
def wait_meets_a_slow_answer(server: MisbehavingServer, user: ClientUser) -> None:
    slow_head = slow(status_of("completed"), 0.1, stop=60, step=2)  # takes 3 s
    server.moves = {JOB: [GOOD], STATUS: [slow_head]}
    waited = user.job(JOB_ID)
    with pytest.raises(errors.WaitTimeoutError):
        user.do(waited.wait, 0.5)
    assert server.done == [JOB]


@when("`token_provider` has no token when the timeout of `wait` ends")
def token_is_late(server: MisbehavingServer, user: ClientUser) -> None:
    server.moves = {JOB: [GOOD], STATUS: [reply(status_of("running"))]}
    waited, released = user.job(JOB_ID), threading.Event()
    user.client._driver._token = lambda: "late" if released.wait(5) else "later"
    try:
        with pytest.raises(errors.WaitTimeoutError):
            user.do(waited.wait, 0.3)
        assert server.calls == [JOB]
    finally:
        released.set()


# --- refusals that pass ----------------------------------------------------------------------------


@when("the service fails (any 5xx but 501 and 505)")
def the_service_fails(server: MisbehavingServer, user: ClientUser) -> None:
    page = reply(b"<html>Bad Gateway</html>", 502, content_type="text/html")
    server.moves[JOB] = [reply({}, 500), page, reply({"message": "No"}, 503), reply({}, 520), GOOD]
    assert user.job(JOB_ID).status == "running"
    assert user.pauses == [0.001, 0.002, 0.004, 0.008]
    for status in (501, 505):
        server.moves[JOB] = [reply({}, status)]
        with pytest.raises(errors.ServerError, match=f"status {status}"):
            user.job(JOB_ID)
    assert len(user.pauses) == 4


@when("the service fails each time")
def the_service_always_fails(server: MisbehavingServer, user: ClientUser) -> None:
    server.moves[JOB] = [reply({}, 500)]
    with pytest.raises(errors.ServerError, match="status 500"):
        user.job(JOB_ID)
    assert server.calls == [JOB] * 6


@when("429 comes with a `Retry-After` in seconds")
def retry_after_in_seconds(server: MisbehavingServer, user: ClientUser) -> None:
    server.moves[JOB] = [reply({"message": "Too Many"}, 429, retry_after="1"), GOOD]
    assert user.job(JOB_ID).status == "running"
    assert user.pauses == [pytest.approx(1.001)]


@when("429 comes as a page for people, such as that of a proxy")
def too_many_for_a_proxy(server: MisbehavingServer, user: ClientUser) -> None:
    server.moves[JOB] = [reply(b"<html>Slow down</html>", 429, content_type="text/html")]
    with pytest.raises(errors.TooManyRequestsError, match="try again later"):
        user.job(JOB_ID)
    assert server.calls == [JOB] * 6


@when("401, 403 or 413 comes as a page for people, or empty")
def refused_by_a_proxy(server: MisbehavingServer, user: ClientUser) -> None:
    kinds = {401: errors.UnauthenticatedError, 403: errors.ForbiddenError, 413: errors.VideoTooLargeError}
    for status, kind in kinds.items():
        for page in (b"<html>No</html>", b""):
            server.moves[JOB] = [reply(page, status, content_type="text/html")]
            with pytest.raises(kind, match=f"status {status}"):
                user.job(JOB_ID)


@when("a proxy finds a video in the request too large")
def too_large_for_a_proxy(server: MisbehavingServer, user: ClientUser) -> None:
    form = {"url": f"{server.url}/form", "fields": {"policy": "p"}, "max_bytes": 100}
    offer = {"job_id": JOB_ID, "upload": {**form, "expires_at": "2026-11-25T10:00:00Z"}}
    page = reply(b"<html>Too large</html>", 413, content_type="text/html")
    server.moves = {SUBMIT: [page, reply(offer, 201)], "POST /form": [reply(status=204)], JOB: [GOOD]}
    assert user.do(user.client.analyse, VIDEO).id == JOB_ID
    assert server.calls == [SUBMIT, SUBMIT, "POST /form", JOB]


@when("429 comes with a `Retry-After` as a date")
def retry_after_as_a_date(server: MisbehavingServer, user: ClientUser) -> None:
    soon = format_datetime(NOW.replace(minute=0, hour=10, second=0, microsecond=0), usegmt=True)
    server.moves[JOB] = [reply({"message": "Too Many"}, 429, retry_after=soon), GOOD]
    assert user.job(JOB_ID).status == "running"
    assert user.pauses == [pytest.approx(0.051)]


@when("`Retry-After` asks for more than a minute")
def retry_after_is_long(server: MisbehavingServer, user: ClientUser) -> None:
    server.moves[JOB] = [reply({"message": "Too Many"}, 429, retry_after="3600")]
    with pytest.raises(errors.TooManyRequestsError) as refused:
        user.job(JOB_ID)
    assert (refused.value.retry_after_s, server.calls) == (3600, [JOB])
