"""Answers that no service of ours gives: each ends with an error of this package, at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest
from video_jobs_client import Frame, Results, ResultsError, errors, webhooks
from video_jobs_client.files import json_file
from video_jobs_client.models import JobResource
from video_jobs_client.protocol import paging
from video_jobs_client.protocol.answers import error_of, json_of, model_of
from video_jobs_client.protocol.effects import Answer
from video_jobs_client.uploads import UploadSettings

from tests.support.played_service import PlayedService, answer, job
from tests.support.played_storage import PART, VIDEO, Storage
from tests.unit.test_client_arguments import DETECTION, WORD
from tests.unit.test_client_requests import BOTH

DEEP = b'{"detail": ' + b'{"a": ' * 100_000
FRAME = {"frame_index": 3, "result": {"detections": [DETECTION]}}
BOX = {"x": 1, "y": 2, "width": 3, "height": 4}


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ({"results": [FRAME], "timestamps_ms": 5}, "timestamps_ms that are no list"),
        ({"results": [FRAME], "timestamps_ms": "5"}, "timestamps_ms that are no list"),
        ({"results": [FRAME], "timestamps_ms": ["5"]}, "A frame is not as the service gives it"),
        ({"results": [FRAME], "track_ids": {"0": [5]}}, "track_ids that are no list"),
        ({"results": [FRAME], "track_ids": [5]}, "A frame is not as the service gives it"),
        ({"results": [FRAME], "track_ids": [["5"]]}, "A frame is not as the service gives it"),
        (["results"], "a page without results"),
    ],
)
def test_lists_beside_the_frames_that_are_none_of_the_service_are_told(page: Any, words: str) -> None:
    with pytest.raises(ResultsError, match=words):
        list(Results([page]).frames())


@pytest.mark.parametrize("box", ["abcd", [None] * 4, [0, 0, "1", 1], [0, 0, True, 1]])
def test_a_box_is_four_numbers(box: Any) -> None:
    frame = Frame(3, 0, {"detections": [{**DETECTION, "xyxy": box}]})
    with pytest.raises(ResultsError, match="A detection of frame 3 is not as"):
        _ = frame.detections


@pytest.mark.parametrize("changed", [{"class_id": "0"}, {"class_name": None}, {"confidence": "high"}])
def test_what_a_detection_has_is_of_its_type(changed: dict[str, Any]) -> None:
    with pytest.raises(ResultsError, match="A detection of frame 3 is not as"):
        _ = Frame(3, 0, {"detections": [{**DETECTION, **changed}]}).detections


@pytest.mark.parametrize(
    "changed", [{"text": 5}, {"level": "5"}, {"confidence": None}, {"bbox": {**BOX, "width": "3"}}]
)
def test_what_a_word_has_is_of_its_type(changed: dict[str, Any]) -> None:
    with pytest.raises(ResultsError, match="A word of frame 3 is not as"):
        _ = Frame(3, 0, {"blocks": [{**WORD, "bbox": BOX, **changed}]}).words


@pytest.mark.parametrize(
    "plugins",
    [None, [], {"a": None}, {"a": "classes"}, {"a": {"classes": 5}}, {"a": {"classes": {"car": 0}}}],
)
@BOTH
def test_a_fingerprint_that_is_none_of_the_service_is_told(plugins: Any, is_async: bool) -> None:
    told = answer(job("completed", fingerprint={"plugins": plugins}))
    page = {"results": [FRAME], "timestamps_ms": [0], "next_cursor": None}
    service = PlayedService([told, answer(page)])
    with pytest.raises(ResultsError, match="The fingerprint of the job is not as the service gives it"):
        frames_of(service, is_async)


def test_json_that_is_nested_too_deeply_is_none_of_the_service(tmp_path: Path) -> None:
    (tmp_path / "deep.json").write_bytes(DEEP)
    for status in (200, 400):
        with pytest.raises(errors.UnexpectedAnswerError, match="is none of the service"):
            model_of(Answer(status, {}, DEEP), JobResource)
        with pytest.raises(errors.UnexpectedAnswerError, match="is none of the service"):
            json_of(Answer(status, {}, DEEP), "results")
    assert isinstance(error_of(Answer(503, {}, DEEP)), errors.ServerError)
    with pytest.raises(ResultsError, match="is not the file that is needed"):
        json_file(tmp_path / "deep.json", dict)


def test_a_signed_call_that_is_nested_too_deeply_is_no_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("video_jobs_client.webhooks.Webhook.verify", lambda *_, **__: None)
    with pytest.raises(errors.UnexpectedAnswerError, match="is no event of a job"):
        webhooks.verify(DEEP, {}, "whsec_c2VjcmV0")


# --- lists without an end --------------------------------------------------------------------------


def frames_of(service: PlayedService, is_async: bool, **chosen: Any) -> list[int]:
    """The frames of a job, by the one client or the other."""
    with service.user(is_async) as user:
        return [frame.index for frame in user.every(user.job("1").frames, **chosen)]


def always(reply: httpx2.Response, most: int = 10) -> list[Any]:
    """The same answer again and again, more often than anybody should ask."""
    return [reply] * most


def listed(service: PlayedService, is_async: bool, **options: Any) -> list[Any]:
    with service.user(is_async) as user:
        return user.every(user.client.jobs.list, **options)


@BOTH
@pytest.mark.parametrize("cursor", ["the same", "", 5])
def test_a_list_of_jobs_whose_next_page_has_come_before_is_told(cursor: Any, is_async: bool) -> None:
    service = PlayedService(always(answer({"jobs": [job()], "next_cursor": cursor})))
    with pytest.raises(errors.UnexpectedAnswerError):
        listed(service, is_async)
    assert len(service.asked) <= 2


@BOTH
def test_no_more_jobs_are_fetched_than_are_wanted(is_async: bool) -> None:
    pages = [answer({"jobs": [job()] * count, "next_cursor": f"{count}"}) for count in (100, 90, 10)]
    service = PlayedService(list(pages))
    assert len(listed(service, is_async, limit=195)) == 195
    assert [request.url.params["limit"] for request in service.asked] == ["100", "95", "5"]


@BOTH
@pytest.mark.parametrize("is_partial", [False, True])
@pytest.mark.parametrize("cursor", ["the same", ["c"]])
def test_pages_of_results_whose_next_one_has_come_before_are_told(
    cursor: Any, is_partial: bool, is_async: bool
) -> None:
    page = {"results": [FRAME], "next_cursor": cursor, "complete": False}
    service = PlayedService([answer(job("completed")), *always(answer(page))])
    with pytest.raises((errors.UnexpectedAnswerError, ResultsError)):
        frames_of(service, is_async, partial=is_partial)
    assert len(service.asked) <= 3


@BOTH
def test_an_empty_page_that_names_itself_is_told(is_async: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "_PAUSE_S", 0.0)
    page = answer({"results": [], "next_cursor": "the same"})
    service = PlayedService([answer(job("completed")), *always(page)])
    with pytest.raises(errors.UnexpectedAnswerError, match="next_cursor"):
        frames_of(service, is_async)


@BOTH
def test_frames_that_come_again_on_another_page_are_told(is_async: bool) -> None:
    pages = [answer({"results": [FRAME], "next_cursor": f"{n}"}) for n in range(5)]
    service = PlayedService([answer(job("completed")), *pages])
    with pytest.raises(ResultsError, match="Frame 3 comes after frame 3"):
        frames_of(service, is_async)


# --- uploads ---------------------------------------------------------------------------------------

PARTS = UploadSettings(method="multipart", parallel=1)
NO_PARTS = answer({"parts": [], "expires_at": "2026-11-25T10:00:00Z"})


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("has_begun", [False, True])
def test_parts_that_are_not_signed_end_the_upload(has_begun: bool, clip: Path) -> None:
    # GIVEN a service that signs no part, or not the one whose URL has expired
    service = Storage(storage=[httpx2.Response(403)]) if has_begun else Storage(parts=[NO_PARTS])
    signed = service._parts

    def signs_once(request: httpx2.Request) -> httpx2.Response:
        return NO_PARTS if service.signatures else signed(request)

    service._parts = signs_once  # type: ignore[method-assign]
    # WHEN a video is uploaded in parts, THEN the error says so
    with service.client() as client, pytest.raises(errors.UnexpectedAnswerError, match="signed other parts"):
        client.analyse(clip, upload=PARTS)


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize(
    ("part_bytes", "count"), [(0, 4), (-1, 4), (PART, 3), (PART, 5), (PART, 10**9), (PART, 0)]
)
def test_parts_that_are_not_those_of_the_video_end_the_upload(
    part_bytes: int, count: int, clip: Path
) -> None:
    offer = {"part_bytes": part_bytes, "part_count": count}
    service = Storage(submit=[answer({"job_id": "1", "multipart": offer}, 201)])
    with (
        service.client() as client,
        pytest.raises(errors.UnexpectedAnswerError, match="not those of the video"),
    ):
        client.analyse(clip, upload=PARTS)
    assert (len(VIDEO), service.put) == (35, [])


@BOTH
@pytest.mark.parametrize("url", ["http://[::1", "https://\x01/r", "https://bucket.example.com:port/r"])
def test_a_url_that_is_none_is_told(url: str, is_async: bool, tmp_path: Path) -> None:
    page: dict[str, Any] = {"results": [], "next_cursor": None, "results_url": url}
    service = PlayedService([answer(job("completed")), answer(page)])
    with (
        service.user(is_async) as user,
        pytest.raises(errors.UnexpectedAnswerError, match="a URL that is none"),
    ):
        user.do(user.job("1").download, tmp_path / "results.json")
