"""Pages, ranges and validators of ``GET /video/results/{job_id}``."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from video_jobs.application import VideoJobs
from video_jobs.domain.changes import Expected
from video_jobs.use_cases import results

from tests.integration.conftest import answer_of, asked, call, refusal
from tests.integration.job_states import completed_job


def frames_of(query: dict[str, str]) -> list[int]:
    """Every frame that the pages of a query give."""
    frames: list[int] = []
    while True:
        status, body = call(asked("results", query))
        assert status == 200
        frames += [frame["frame_index"] for frame in body["results"]]
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
    assert sum(lengths) < 4 * 16 * 4096 + 1000


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


def test_a_page_fits_as_lambda_encodes_it(
    app: VideoJobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN frames whose text doubles when a body becomes a JSON text, and others that grow sixfold
    limit = 20_000
    monkeypatch.setattr(app, "rules", replace(app.rules, max_answer_bytes=limit))
    for text in ('"' * 300, "é" * 300):
        monkeypatch.setattr("tests.integration.job_states.text_of", lambda _, text=text: text)
        job = completed_job(app, tmp_path, frames=200)
        # WHEN a client reads all pages
        bodies: list[str] = []
        query = {"limit": "1000"}
        while not bodies or query["cursor"] is not None:
            bodies.append(answer_of(asked("results", query))["body"])
            query["cursor"] = json.loads(bodies[-1])["next_cursor"]
        # THEN each fits, the first ones are well filled, and none is missing
        sizes = [len(json.dumps(body)) for body in bodies]
        assert max(sizes) < limit + 2500  # job_id, times and the signed URL
        assert min(sizes[:-1]) > limit / 2
        frames = [frame for body in bodies for frame in json.loads(body)["results"]]
        assert [frame["frame_index"] for frame in frames] == list(range(200))
        app.ports.jobs.delete(job.job_id, Expected(status=job.status))


def test_a_range_or_a_cursor_that_is_none_is_refused(app: VideoJobs, tmp_path: Path) -> None:
    completed_job(app, tmp_path, frames=1)
    backwards = {"from_frame": "5", "to_frame": "4"}
    for query in ({"limit": "0"}, {"from_frame": "-1"}, backwards, {"frames": "1"}, {"to_frame": "x"}):
        assert refusal(asked("results", query)) == (400, "invalid_request")
    assert refusal(asked("results", {"cursor": "abc"})) == (400, "invalid_cursor")


def test_no_frames_is_an_empty_list(app: VideoJobs, tmp_path: Path) -> None:
    completed_job(app, tmp_path, frames=0)
    assert call("results")[1]["results"] == []
