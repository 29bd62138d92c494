"""Pages, ranges and validators of ``GET /video/results/{job_id}``."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from video_jobs.application import VideoJobs
from video_jobs.domain.changes import Expected
from video_jobs.domain.cursor import encode_cursor
from video_jobs.domain.job import Output
from video_jobs.domain.keys import results_index_key, results_key
from video_jobs.use_cases import results
from video_jobs.use_cases.results import ResultsQuery

from tests.integration import job_states
from tests.integration.conftest import answer_of, asked, call, refusal
from tests.integration.job_states import completed_job, time_ms_of
from tests.support.joining import person_walking

LAMBDA_LIMIT_BYTES = 6_291_556


def frames_of(query: dict[str, str]) -> list[int]:
    """Every frame that the pages of a query give, each of which has its time."""
    frames: list[int] = []
    while True:
        status, body = call(asked("results", query))
        assert status == 200
        page = [frame["frame_index"] for frame in body["results"]]
        assert body["timestamps_ms"] == [time_ms_of(frame) for frame in page]
        frames += page
        if body["next_cursor"] is None:
            return frames
        query = query | {"cursor": body["next_cursor"]}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, range(50)),
        ({"limit": "1"}, range(50)),
        ({"limit": "7"}, range(50)),
        ({"from_frame": "45"}, range(45, 50)),
        ({"to_frame": "3"}, range(4)),
        ({"from_frame": "10", "to_frame": "12", "limit": "2"}, range(10, 13)),
        ({"from_frame": "50"}, range(0)),
        ({"from_frame": "0", "to_frame": "0"}, range(1)),
        ({"from_frame": "999999999"}, range(0)),
        ({"from_ms": "0"}, range(50)),
        ({"from_ms": str(time_ms_of(10)), "to_ms": str(time_ms_of(12))}, range(10, 13)),
        ({"from_ms": str(time_ms_of(10) + 0.0004), "limit": "9"}, range(11, 50)),
        ({"to_ms": str(time_ms_of(12) - 0.0004)}, range(12)),
        ({"to_ms": "0"}, range(1)),
        ({"from_ms": "1e9"}, range(0)),
        (
            {"from_frame": "5", "from_ms": "1000", "to_frame": "34", "to_ms": "1500", "limit": "2"},
            range(30, 35),
        ),
        ({"from_frame": "31", "from_ms": "1000", "to_frame": "40", "to_ms": "1100"}, range(31, 33)),
        ({"to_frame": "5", "from_ms": "1000"}, range(0)),
    ],
)
def test_every_frame_that_is_asked_for_comes_once(
    app: VideoJobs,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    query: dict[str, str],
    expected: range,
) -> None:
    monkeypatch.setattr(results, "_RECORDS_A_READ", 8)
    completed_job(app, tmp_path, frames=50)
    assert frames_of(query) == list(expected)


def test_a_page_of_a_long_file_reads_little_of_it(
    app: VideoJobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    completed_job(app, tmp_path, frames=20_000)
    read = app.ports.storage.read_range
    lengths: list[int] = []

    def counted(key: str, start: int, length: int, version: str | None = None) -> bytes:
        content = read(key, start, length, version)
        lengths.append(len(content))
        return content

    monkeypatch.setattr(app.ports.storage, "read_range", counted)
    assert frames_of({"from_frame": "15000", "to_frame": "15001"}) == [15000, 15001]
    assert len(lengths) <= 6
    assert sum(lengths) < 4 * 24 * 4096 + 1000


def test_the_tag_spares_an_answer_that_the_client_has(app: VideoJobs, tmp_path: Path) -> None:
    completed_job(app, tmp_path, frames=3)
    tag = answer_of(asked("results"))["headers"]["ETag"]
    for known in (tag, f'"other", {tag}', "*", tag.removeprefix("W/")):
        event = asked("results")
        event["headers"]["if-none-match"] = known
        answer = answer_of(event)
        assert (answer["statusCode"], answer.get("body") or "") == (304, "")
        assert answer["headers"]["ETag"] == tag
    other = asked("results", {"limit": "1"})
    other["headers"]["if-none-match"] = tag
    assert answer_of(other)["statusCode"] == 200


@pytest.mark.parametrize(
    "text", ['"' * 300, "é" * 300, ""], ids=["doubled when encoded", "sixfold when encoded", "mostly times"]
)
@pytest.mark.parametrize("tracks", [{}, {"include": "tracks"}], ids=["alone", "with tracks"])
def test_a_page_fits_as_lambda_encodes_it(
    app: VideoJobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, tracks: dict[str, str]
) -> None:
    # GIVEN frames, times of many digits, and a limit
    limit, count = 60_000, 300 if tracks and not text else 2_500
    monkeypatch.setattr(app, "rules", replace(app.rules, max_answer_bytes=limit))
    monkeypatch.setattr(job_states, "time_ms_of", lambda frame: 1e9 + frame / 8)
    detections = [] if text else person_walking(1)["detections"] * 40
    completed_job(
        app, tmp_path, count, lambda _: {"text": text, "detections": detections[: len(tracks) * 40]}
    )
    # WHEN a client reads all pages
    bodies: list[str] = []
    query = {"limit": "1000", **tracks}
    while not bodies or query["cursor"] is not None:
        bodies.append(answer_of(asked("results", query))["body"])
        query["cursor"] = json.loads(bodies[-1])["next_cursor"]
    # THEN each fits, and no frame is missing
    sizes = [len(json.dumps(body)) for body in bodies]
    assert max(sizes) <= limit
    frames = [frame for body in bodies for frame in json.loads(body)["results"]]
    assert [frame["frame_index"] for frame in frames] == list(range(count))
    # AND no page could have one frame more, save for the room that is kept for the cursor and so on
    one_more = len(json.dumps(json.dumps(frames[-1], separators=(",", ":"), ensure_ascii=False))) + 20
    one_more += 6 * len(frames[-1]["result"]["detections"])
    assert min(sizes[:-1]) > limit - one_more - results.REST_BYTES


def test_a_range_or_a_cursor_that_is_none_is_refused(app: VideoJobs, tmp_path: Path) -> None:
    completed_job(app, tmp_path, frames=1)
    backwards = {"from_frame": "5", "to_frame": "4"}
    early = {"from_ms": "5", "to_ms": "4.9"}
    for query in (
        *({"limit": "0"}, {"from_frame": "-1"}, backwards, {"frames": "1"}, {"to_frame": "x"}),
        *({"from_ms": "-1"}, {"from_ms": "nan"}, {"to_ms": "inf"}, {"to_ms": ""}, {"to_ms": "0:05"}, early),
    ):
        assert refusal(asked("results", query)) == (400, "invalid_request")
    assert refusal(asked("results", {"cursor": "abc"})) == (400, "invalid_cursor")


@pytest.mark.parametrize("position", ["abc", "-5", "", "3", "²", " 1", "1" * 100, "0x1", "1_0", "é"])
def test_a_forged_cursor_is_refused(app: VideoJobs, tmp_path: Path, position: str) -> None:
    job = completed_job(app, tmp_path, frames=3)
    cursor = encode_cursor(position, job.job_id, *ResultsQuery().scope)
    assert refusal(asked("results", {"cursor": cursor})) == (400, "invalid_cursor")
    # AND one that names a frame is none
    assert call(asked("results", {"cursor": encode_cursor("2", job.job_id, *ResultsQuery().scope)}))[0] == 200


def test_a_cursor_belongs_to_the_times_that_it_was_made_for(app: VideoJobs, tmp_path: Path) -> None:
    completed_job(app, tmp_path, frames=9)
    given = {"limit": "1", "from_ms": "10", "to_ms": "200"}
    cursor = call(asked("results", given))[1]["next_cursor"]
    assert call(asked("results", given | {"cursor": cursor}))[0] == 200
    for other in (given | {"to_ms": "250"}, given | {"from_ms": "11"}, {"limit": "1"}):
        assert refusal(asked("results", other | {"cursor": cursor})) == (400, "invalid_cursor")


def test_no_frames_is_an_empty_list(app: VideoJobs, tmp_path: Path) -> None:
    completed_job(app, tmp_path, frames=0)
    body = call("results")[1]
    assert (body["results"], body["timestamps_ms"]) == ([], [])


@pytest.fixture
def old_results(app: VideoJobs, tmp_path: Path) -> list[bytes]:
    """The lines of results as they were written before frames had times."""
    job, storage = completed_job(app, tmp_path, frames=0), app.ports.storage
    lines = [b'{"frame_index":%d,"result":{"text":"%b"}}' % (5 * n, b"x" * n) for n in range(40)]
    offsets = [13]
    for line in lines:
        offsets.append(offsets[-1] + len(line) + 2)
    numbers = [*range(0, 200, 5), 2**64 - 1]
    (tmp_path / "old").write_bytes(b'{"results":[\n' + b",\n".join(lines) + b"\n]}\n")
    (tmp_path / "old index").write_bytes(
        b"".join(struct.pack("<QQ", *record) for record in zip(numbers, offsets, strict=True))
    )
    stored = storage.save_file(results_key(job.job_id), tmp_path / "old", "application/json")
    index = storage.save_file(results_index_key(job.job_id), tmp_path / "old index", "x/y")
    app.ports.jobs.delete(job.job_id, Expected(status=job.status))
    app.ports.jobs.save(replace(job, output=Output(stored.key, stored.version, index.version)))
    return lines


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, range(0, 200, 5)),
        ({"limit": "3"}, range(0, 200, 5)),
        ({"from_frame": "6", "to_frame": "20"}, (10, 15, 20)),
    ],
)
def test_results_without_times_are_still_read(
    old_results: list[bytes], monkeypatch: pytest.MonkeyPatch, query: dict[str, str], expected: Sequence[int]
) -> None:
    monkeypatch.setattr(results, "_RECORDS_A_READ", 4)
    frames: list[dict[str, Any]] = []
    while True:
        status, body = call(asked("results", query))
        assert (status, body["timestamps_ms"]) == (200, None)
        frames += body["results"]
        if body["next_cursor"] is None:
            break
        query = query | {"cursor": body["next_cursor"]}
    assert frames == [json.loads(old_results[number // 5]) for number in expected]


def test_times_of_results_that_have_none_are_refused(old_results: list[bytes]) -> None:
    for query in ({"from_ms": "0"}, {"to_ms": "10"}):
        status, body = call(asked("results", query))
        assert (status, body["code"]) == (400, "invalid_request")
        assert "before frames had times; use from_frame" in body["detail"]
