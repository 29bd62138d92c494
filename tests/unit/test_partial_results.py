"""Whenever a client asks for results of a job that goes on: each frame comes once, as it is at the end."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from video_jobs.adapters.local.memory_storage import MemoryStorage
from video_jobs.adapters.system import SystemClock
from video_jobs.application import VideoJobs
from video_jobs.bindings import Ports
from video_jobs.domain.changes import Expected
from video_jobs.domain.cursor import encode_cursor
from video_jobs.domain.errors import (
    InvalidCursorError,
    JobNotCompletedError,
    JobNotFoundError,
    ResultsRestartedError,
)
from video_jobs.domain.job import Job, JobStatus, Upload
from video_jobs.domain.results import ResultsPage
from video_jobs.domain.rules import Rules
from video_jobs.use_cases import partial_results
from video_jobs.use_cases.partial_results import PartialAnswer, Place
from video_jobs.use_cases.results import REST_BYTES, ResultsQuery
from video_worker.analysis import AnalysedFrame

from tests.support.run_in_parts import FINGERPRINT_ID, Part, RunInParts, frame

NOW = datetime(2026, 1, 1, tzinfo=UTC)
UPLOAD = Upload(key="video_jobs/x.mp4", version="v1")
JOB = Job(
    job_id="11111111-1111-4111-8111-111111111111", owner="ann", created_at=NOW, updated_at=NOW, upload=UPLOAD
)
OTHER_ID = "22222222-2222-4222-8222-222222222222"
TWO_PARTS = [[frame(0), frame(1)], [frame(2), frame(3)], [frame(4)]]


class WatchedStorage(MemoryStorage):
    """Counts the reads of parts; ``acts`` says what happens before one of the next."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.acts: dict[int, Callable[[], None]] = {}

    def at_read(self, number: int, act: Callable[[], None]) -> None:
        self.acts = {self.reads + number: act}

    def read_range(self, key: str, start: int, length: int, version: str | None = None) -> bytes:
        if key.startswith("job_parts/"):
            self.reads += 1
            self.acts.pop(self.reads, lambda: None)()
        return super().read_range(key, start, length, version)


class Service:
    """The application with one running job, and a client of it."""

    def __init__(self, parts: Sequence[Part], max_answer_bytes: int = 10**6, **fields: Any) -> None:
        self.storage = WatchedStorage()
        ports = Ports.in_memory(SystemClock(), storage=lambda: self.storage)
        self.app = VideoJobs(ports, Rules(max_answer_bytes=max_answer_bytes))
        self.app.ports.jobs.save(replace(JOB, status=JobStatus.RUNNING))
        self.run = RunInParts(self.app, JOB, parts, **fields)

    def ask(self, cursor: str | None = None, limit: int | None = None) -> PartialAnswer:
        return self.app.partial_results.read(self.run.job, ResultsQuery(cursor=cursor, limit=limit))

    def cursor_after(self, limit: int | None = None) -> str:
        cursor = self.ask(limit=limit).page.next_cursor
        assert cursor is not None
        return cursor


@pytest.fixture
def service() -> Service:
    """Two of three parts are there."""
    service = Service(TWO_PARTS)
    service.run.store(2)
    return service


def frames_of(page: ResultsPage) -> list[AnalysedFrame]:
    frames, times = json.loads(b"[%b]" % page.frames_json), json.loads(f"[{page.times_json}]")
    assert len(frames) == len(times) == page.count
    return [
        AnalysedFrame(found["frame_index"], time_ms, found["result"])
        for found, time_ms in zip(frames, times, strict=True)
    ]


def indexes(page: ResultsPage) -> list[int]:
    return [found.frame_index for found in frames_of(page)]


@st.composite
def videos(draw: st.DrawFn) -> list[Part]:
    """Parts of a video, some without a frame; text takes up to six bytes a character in an answer."""
    texts = st.text(st.sampled_from('"é\n]'), max_size=60)
    lengths = draw(st.lists(st.integers(0, 4), min_size=1, max_size=6))
    starts = [sum(lengths[:number]) for number in range(len(lengths))]
    return [
        [frame(index, draw(texts)) for index in range(start, start + length)]
        for start, length in zip(starts, lengths, strict=True)
    ]


@given(st.data(), videos(), st.integers(REST_BYTES + 200, REST_BYTES + 2000), st.sampled_from([16, 64, 4096]))
def test_pages_give_each_frame_once_whenever_parts_come_and_the_job_ends(
    data: st.DataObject, parts: list[Part], max_answer_bytes: int, block_bytes: int
) -> None:
    service, given, cursor = Service(parts, max_answer_bytes), [], None
    limits = st.none() | st.integers(1, 5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partial_results, "_BLOCK_BYTES", block_bytes)
        patch.setattr(partial_results, "_PARTS_A_PAGE", 2)
        for turn in range(100):
            # GIVEN some more parts, and perhaps the end, before the client asks or at one of the reads
            if service.run.job.status.is_open:
                service.run.store(data.draw(st.integers(0, service.run.left)))
                ends_at = data.draw(st.integers(0, 9)) if turn < 20 else 0
                if ends_at == 0:
                    service.run.complete()
                service.storage.at_read(ends_at, service.run.complete)
            # WHEN the client goes on
            limit = data.draw(limits)
            answer = service.ask(cursor, limit)
            page, service.storage.acts = answer.page, {}
            # THEN what it has is the beginning of all
            given += frames_of(page)
            assert page.count <= (limit or page.count)
            assert page.count == 1 or len(json.dumps(page.frames_json.decode())) <= max_answer_bytes
            assert page.complete is (answer.job.status is JobStatus.COMPLETED)
            assert (page.results_url is None) is (not page.complete)
            cursor = page.next_cursor
            if cursor is None:
                break
        # AND in the end it is all
        assert page.complete
        assert given == [
            frame._replace(timestamp_ms=round(frame.timestamp_ms, 3)) for part in parts for frame in part
        ]


def test_a_page_looks_at_a_bounded_number_of_parts_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partial_results, "_PARTS_A_PAGE", 3)
    service = Service([*([[]] * 4), [frame(0, "x" * 5000)], []])
    service.run.store(5)
    first = service.ask()
    assert (first.page.count, service.storage.reads) == (0, 3)
    assert indexes(service.ask(first.page.next_cursor).page) == [0]
    # AND a frame longer than a block is read all the same
    monkeypatch.setattr(partial_results, "_BLOCK_BYTES", 100)
    assert indexes(service.ask(first.page.next_cursor, limit=1).page) == [0]
    # AND what is beyond the page is not read
    long = Service([[frame(index) for index in range(1000)], []])
    long.run.store(1)
    assert indexes(long.ask(limit=2).page) == [0, 1]
    assert long.storage.reads == 1


def test_a_job_that_no_worker_has_opened_gives_an_empty_page_without_cursor() -> None:
    service = Service(TWO_PARTS, status=JobStatus.PENDING, fingerprint=None)
    page = service.ask().page
    assert (page.count, page.next_cursor, page.complete) == (0, None, False)
    # AND once it is opened there is a cursor to go on from
    service.run.change(fingerprint={"id": FINGERPRINT_ID})
    cursor = service.cursor_after()
    assert service.ask(cursor).page.count == 0
    service.run.store(1)
    assert indexes(service.ask(cursor).page) == [0, 1]


def test_a_cursor_at_the_end_survives_completion(service: Service) -> None:
    service.run.change(status=JobStatus.PENDING)  # a worker gave it back
    cursor = service.cursor_after()
    service.run.change(status=JobStatus.RUNNING)
    service.run.complete()
    assert indexes(service.ask(cursor).page) == [4]
    # AND exactly at the end there is an empty last page
    end = Place(FINGERPRINT_ID, 5, 2, 0).to_cursor(JOB.job_id)
    page = service.ask(end).page
    assert (page.count, page.next_cursor, page.complete) == (0, None, True)


def test_a_completed_job_takes_its_usual_cursors_too(service: Service) -> None:
    partial = service.cursor_after(limit=3)
    service.run.complete()
    usual = service.app.results.read(service.run.job, ResultsQuery(limit=3)).next_cursor
    for cursor in (partial, usual):
        assert indexes(service.ask(cursor).page) == [3, 4]
    # BUT a cursor of partial results is for those only
    with pytest.raises(InvalidCursorError):
        service.app.results.read(service.run.job, ResultsQuery(cursor=partial))


def test_a_cursor_of_a_run_with_another_fingerprint_is_out_of_date(service: Service) -> None:
    cursor = service.cursor_after(limit=1)
    service.run.change(fingerprint={"id": "g"})
    with pytest.raises(ResultsRestartedError, match="start again without the cursor"):
        service.ask(cursor)
    service.run.complete()
    with pytest.raises(ResultsRestartedError):
        service.ask(cursor)
    service.run.change(fingerprint={"id": FINGERPRINT_ID})
    assert indexes(service.ask(cursor).page) == [1, 2, 3, 4]


LINE = len('[0,{"frame_index":0,"result":{"text":"é0"}}]\n'.encode())


@pytest.mark.parametrize(
    "cursor",
    [
        "abc",
        encode_cursor("2", JOB.job_id, *ResultsQuery().scope),
        Place(FINGERPRINT_ID, 1, 0, LINE).to_cursor(OTHER_ID),
        *(Place(FINGERPRINT_ID, 1, 0, LINE + by).to_cursor(JOB.job_id) for by in (-1, 1, 10**9)),
        *(
            encode_cursor(text, "partial results", JOB.job_id)
            for text in ("f 1 0", "f 1 0 -1", "f 1 0 x", f"f 1 0 {10**12}", "f 1 0 ²", " 1 0 1", "f 1 0 1 ")
        ),
    ],
)
def test_a_forged_cursor_is_refused(service: Service, cursor: str) -> None:
    with pytest.raises(InvalidCursorError):
        service.ask(cursor)
    assert indexes(service.ask(Place(FINGERPRINT_ID, 1, 0, LINE).to_cursor(JOB.job_id), limit=1).page) == [1]


def test_a_cursor_beyond_all_is_refused_at_the_end_and_gives_nothing_before(service: Service) -> None:
    beyond = Place(FINGERPRINT_ID, 6, 999, 0).to_cursor(JOB.job_id)
    assert service.ask(beyond).page.count == 0
    service.run.complete()
    with pytest.raises(InvalidCursorError):
        service.ask(beyond)
    with pytest.raises(InvalidCursorError):
        service.ask("abc")


def test_after_the_notes_of_a_part_no_line_begins(service: Service) -> None:
    key = next(service.storage.list_keys("job_parts/"))
    whole = service.storage.read_range(key, 0, 10**6)
    with pytest.raises(InvalidCursorError):
        service.ask(Place(FINGERPRINT_ID, 2, 0, len(whole)).to_cursor(JOB.job_id))
    # AND a part without notes, which no worker stores, is not taken for a whole one
    service.storage.save_bytes(key, whole[: 2 * LINE])
    with pytest.raises(ValueError, match="without notes"):
        service.ask()


def test_a_part_that_is_missing_ends_the_page(service: Service) -> None:
    # GIVEN a worker of the release before took over, which does not tell how many parts are there
    service.run.change(progress=replace(service.run.job.progress, parts_done=9))
    answer = service.ask()
    assert (indexes(answer.page), answer.parts, answer.page.complete) == ([0, 1, 2, 3], 2, False)
    # AND the client goes on where it was when there is more
    assert answer.page.next_cursor == Place(FINGERPRINT_ID, 4, 2, 0).to_cursor(JOB.job_id)


@pytest.mark.parametrize("at_read", [1, 2])
def test_a_job_that_fails_or_is_deleted_meanwhile_has_no_partial_results(
    service: Service, at_read: int
) -> None:
    job = service.run.job

    def fail() -> None:
        service.run.change(status=JobStatus.FAILED)
        service.run.lose_parts()

    service.storage.at_read(at_read, fail)
    with pytest.raises(JobNotCompletedError):
        service.ask()
    service.app.ports.jobs.delete(JOB.job_id, Expected(status=JobStatus.FAILED))
    with pytest.raises(JobNotFoundError):
        service.app.partial_results.read(job, ResultsQuery())


def test_a_failed_job_has_no_partial_results(service: Service) -> None:
    service.run.change(status=JobStatus.FAILED)
    with pytest.raises(JobNotCompletedError):
        service.ask()
