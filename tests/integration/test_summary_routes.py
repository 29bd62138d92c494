"""``GET /video/summary/{job_id}``, and the tracks beside the results."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from video_jobs.application import VideoJobs
from video_jobs.domain.changes import Expected
from video_jobs.domain.job import Job
from video_worker.analysis import AnalysedFrame
from video_worker.summary.fold import summary_bytes

from functions.video_api.answer_models import JobSummary
from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.integration.conftest import EVENT_JOB_ID, answer_of, asked, call, refusal
from tests.integration.job_states import completed_job, failed_job, running_job, time_ms_of
from tests.support.folding import folded
from tests.support.joining import person_walking, track_ids_of
from tests.support.noisy_readings import words
from tests.support.stored_files import files_of

FRAMES = 40


def seen(frame: int) -> dict[str, Any]:
    """A person, and a sign of letters that are two bytes long."""
    return {**person_walking(frame), "blocks": words("é" * 99, 10, 20, 90.0, 1)}


SUMMARY = summary_bytes(folded([AnalysedFrame(n, time_ms_of(n), seen(n)) for n in range(FRAMES)])[0])
LINKS = ("summary_url", "tracks_url")


@pytest.fixture
def job(app: VideoJobs, tmp_path: Path) -> Job:
    return completed_job(app, tmp_path, FRAMES, seen)


def made_by_an_earlier_release(app: VideoJobs, job: Job) -> None:
    assert job.output is not None
    app.ports.jobs.delete(job.job_id, Expected(status=job.status))
    app.ports.jobs.save(replace(job, output=replace(job.output, summary=None)))


def test_the_summary_is_answered_as_it_is_in_its_file(app: VideoJobs, job: Job) -> None:
    answer = answer_of(asked("summary"))
    assert answer["statusCode"] == 200
    assert f'"summary":{SUMMARY.decode().strip()},' in answer["body"]
    body = json.loads(answer["body"])
    assert body.keys() == {"summary", "job_id", "created_at", "updated_at", *LINKS}
    assert (body["job_id"], body["summary"]["frames"]) == (EVENT_JOB_ID, FRAMES)
    JobSummary.model_validate(body)


def test_both_answers_link_to_the_stored_versions(services: VideoJobs, tmp_path: Path) -> None:
    job = completed_job(services, tmp_path, FRAMES, seen)
    _, _, (_, version), (_, tracks_version), _ = files_of(job)
    for name in ("summary", "results"):
        body = call(name)[1]
        assert f"_summary.json?versionId={version}&" in body["summary_url"]
        assert f"_tracks.json?versionId={tracks_version}&" in body["tracks_url"]


def test_what_was_written_later_is_not_answered(app: VideoJobs, job: Job) -> None:
    """A worker that lost the job may still store files."""
    known = [call(asked(*one)) for one in (("summary",), ("results", {"include": "tracks"}))]
    for key, _ in files_of(job):
        app.ports.storage.save_file(key, TINY, "application/json")
    again = [call(asked(*one)) for one in (("summary",), ("results", {"include": "tracks"}))]
    assert known == again
    assert known[0][0] == known[1][0] == 200


def test_the_tag_spares_an_answer_that_the_client_has(job: Job) -> None:
    tag = answer_of(asked("summary"))["headers"]["ETag"]
    event = asked("summary")
    event["headers"]["if-none-match"] = tag
    answer = answer_of(event)
    assert (answer["statusCode"], answer.get("body") or "", answer["headers"]["ETag"]) == (304, "", tag)
    event["headers"]["if-none-match"] = 'W/"other"'
    assert answer_of(event)["statusCode"] == 200


@pytest.mark.parametrize("state", [running_job, failed_job])
def test_there_is_no_summary_before_a_job_is_completed(app: VideoJobs, state: Any) -> None:
    assert refusal("summary") == (404, "job_not_found")
    state(app)
    event = asked("summary")
    event["headers"]["if-none-match"] = "*"
    assert refusal(event) == (404, "job_not_completed")
    assert call("summary")[1]["detail"] == "Job not completed"


def test_a_job_of_an_earlier_release_has_no_summary_and_says_so(app: VideoJobs, job: Job) -> None:
    made_by_an_earlier_release(app, job)
    for event in (asked("summary"), asked("results", {"include": "tracks"})):
        assert refusal(event) == (404, "no_summary")
    assert "submit the video again" in call("summary")[1]["detail"]
    # AND its results are answered as before
    status, body = call("results")
    assert (status, len(body["results"]), body["summary_url"], body["tracks_url"]) == (200, 40, None, None)


def test_a_summary_comes_only_if_it_fits_and_no_more_of_it_is_read(
    app: VideoJobs, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = app.ports.storage.read_range
    lengths: list[int] = []

    def counted(key: str, start: int, length: int, version: str | None = None) -> bytes:
        lengths.append(length)
        return read(key, start, length, version)

    monkeypatch.setattr(app.ports.storage, "read_range", counted)
    fit = set()
    for limit in range(1000, 3500, 19):
        monkeypatch.setattr(app, "rules", replace(app.rules, max_answer_bytes=limit))
        vars(app).pop("results", None)
        answer = answer_of(asked("summary"))
        body = json.loads(answer["body"])
        assert len(json.dumps(answer["body"])) <= limit
        assert body["summary"] in (None, json.loads(SUMMARY))
        assert lengths[-1] < limit
        fit.add(body["summary"] is not None)
        assert body["summary_url"]
        assert body["tracks_url"]
    assert fit == {True, False}


@pytest.mark.parametrize("query", [{}, {"limit": "7"}, {"limit": "1", "from_frame": "30"}, {"to_ms": "500"}])
def test_tracks_come_beside_the_frames_of_each_page(job: Job, query: dict[str, str]) -> None:
    pages: list[dict[str, Any]] = []
    wanted = {**query, "include": "tracks"}
    while not pages or pages[-1]["next_cursor"]:
        status, body = call(asked("results", wanted))
        assert status == 200
        pages.append(body)
        wanted["cursor"] = body["next_cursor"]
    for page in pages:
        assert page["track_ids"] == [track_ids_of(frame["frame_index"]) for frame in page["results"]]
    # AND the frames are those that come without tracks
    wanted = dict(query)
    for page in pages:
        alone = call(asked("results", wanted))[1]
        assert "track_ids" not in alone
        assert {**alone, "track_ids": page["track_ids"]} == page
        wanted["cursor"] = alone["next_cursor"]


def test_only_the_tracks_of_a_page_are_read(
    app: VideoJobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    completed_job(app, tmp_path, 20_000, lambda _: {"detections": []})
    monkeypatch.setattr(app, "rules", replace(app.rules, max_answer_bytes=20_000))
    read, keys = app.ports.storage.read_range, list[str]()

    def noted(key: str, start: int, length: int, version: str | None = None) -> bytes:
        keys.append(key)
        return read(key, start, length, version)

    monkeypatch.setattr(app.ports.storage, "read_range", noted)
    assert 100 < len(call(asked("results", {"include": "tracks"}))[1]["track_ids"]) < 1000
    assert [key.rpartition("_")[2] for key in keys] == [
        "results.idx",
        "results.json",
        "tracks.idx",
        "tracks.json",
    ]


def test_tracks_of_no_frame_are_an_empty_list_and_nothing_else_is_included(job: Job) -> None:
    body = call(asked("results", {"include": "tracks", "from_frame": "999"}))[1]
    assert (body["results"], body["track_ids"]) == ([], [])
    for other in ("", "texts", "tracks,tracks"):
        assert refusal(asked("results", {"include": other})) == (400, "invalid_request")
