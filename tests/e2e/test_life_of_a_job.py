"""The main job through HTTP, as a client sees it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import requests
from standardwebhooks.webhooks import Webhook
from video_worker.plugins.yolo.detector import Detection
from video_worker.plugins.yolo.ultralytics_detector import UltralyticsDetector

from tests.e2e.conftest import Api, wait_until
from tests.fixtures.make_tiny_mp4 import FRAMES, PATH, words_of_frame
from tests.proofs.bench.clips import frames_of
from tests.proofs.bench.ways import predict_in_f32, settings_for
from tests.support import videos
from tests.support.aws import Subscriber
from tests.support.model import PEOPLE, needs_real_model
from tests.support.source_server import URL, SourceServer
from tests.support.webhook_receiver import WebhookReceiver
from tools.local_stack.aws_server import LOCAL_WEBHOOK_SECRET
from tools.local_stack.stack import LocalStack

STATUS_BUDGET_S = 0.025
IMPORT_BUDGET_S = 0.6
START_BUDGET_S = 1.0
"""Each is compared with the fastest of several tries, because other work on the machine only adds time."""


def test_a_video_in_the_body_goes_from_pending_to_completed(api: Api) -> None:
    answer = api.submit_body(PATH.read_bytes())
    assert answer.status_code == 201
    assert list(answer.json()) == ["job_id"]
    job_id = answer.json()["job_id"]
    body, seen = api.wait_for_end(job_id)
    assert seen == ["pending", "running", "completed"]
    assert (body["progress"], body["error_message"]) == (1.0, None)
    results = api.get(f"/video/results/{job_id}").json()
    assert sorted(results) == [
        "created_at",
        "job_id",
        "next_cursor",
        "results",
        "results_url",
        "summary_url",
        "timestamps_ms",
        "tracks_url",
        "updated_at",
    ]
    assert [frame["frame_index"] for frame in results["results"]] == list(range(FRAMES))
    for frame in results["results"][5::10]:
        assert set(frame["result"]["text"].split()) == words_of_frame(frame["frame_index"])
    # AND the summary tells of the same words, and is the file behind its link
    summary = api.get(f"/video/summary/{job_id}").json()
    told = {word for text in summary["summary"]["texts"] for word in text["text"].split()}
    assert words_of_frame(5) <= told
    assert requests.get(summary["summary_url"], timeout=30).json() == summary["summary"]
    assert len(requests.get(results["tracks_url"], timeout=30).json()["track_ids"]) == FRAMES


def test_a_presigned_upload_starts_its_job_by_itself(api: Api) -> None:
    job_id = api.submit_presigned(PATH, frame_stride=10, max_frames=3, pipeline_id="ocr_only")
    body, _ = api.wait_for_end(job_id)
    assert body["status"] == "completed"
    frames = api.get(f"/video/results/{job_id}").json()["results"]
    assert [frame["frame_index"] for frame in frames] == [0, 10, 20]
    assert "detections" not in frames[0]["result"]
    job = api.get(f"/video/jobs/{job_id}").json()
    assert (job["percent"], job["frames_done"]) == (100, 3)
    assert job["fingerprint"]["plugins"]["ocr"]["engine"] == "ppocr"
    # AND it tells what it used, but no cost, because this machine has no price
    assert job["usage"].pop("compute_seconds") > 0
    assert job["usage"] == {"frames": 3, "bytes": PATH.stat().st_size, "cost_usd": None}


def test_a_large_video_comes_in_parts(api: Api) -> None:
    # GIVEN a video of two parts: a box that players skip makes it large
    padding = 9 * 2**20
    video = PATH.read_bytes() + padding.to_bytes(4, "big") + b"free" + bytes(padding - 8)
    body = {"size_bytes": len(video), "upload_method": "multipart", "frame_stride": 20}
    offer = requests.post(f"{api.url}/video/submit", json=body, timeout=30).json()
    path = f"{api.url}/video/jobs/{offer['job_id']}/upload"
    # WHEN a client asks for the signatures and uploads
    numbers = list(range(1, offer["multipart"]["part_count"] + 1))
    signed = requests.post(f"{path}/parts", json={"part_numbers": numbers}, timeout=30).json()["parts"]
    start = 0
    for part in signed:
        content = video[start : start + part["size_bytes"]]
        assert requests.put(part["url"], data=content, timeout=60).status_code == 200
        start += len(content)
    assert len(signed) == 2
    assert requests.post(f"{path}/complete", timeout=30).status_code == 200
    # THEN the job starts by itself
    status, _ = api.wait_for_end(offer["job_id"])
    assert status["status"] == "completed", status


def test_a_video_is_fetched_from_its_url(stack: LocalStack, api: Api, source_server: SourceServer) -> None:
    # GIVEN a video behind a redirect, whose transfer breaks off once
    source_server.redirect("/video?signature=secret", "/file?signature=secret")
    source_server.serve(PATH.read_bytes(), "/file?signature=secret").cuts.append(100)
    # WHEN a client names its URL
    body = {"source_url": URL, "max_frames": 2, "pipeline_id": "ocr_only"}
    answer = requests.post(f"{api.url}/video/submit", json=body, timeout=30)
    assert (answer.status_code, list(answer.json())) == (201, ["job_id"])
    # THEN it is analysed, and its URL is neither in the job nor in the log
    job_id = answer.json()["job_id"]
    status, _ = api.wait_for_end(job_id)
    assert status["status"] == "completed", status
    job = api.get(f"/video/jobs/{job_id}").text
    assert "source.example" in job
    assert "signature=secret" not in job + stack.log_file.read_text(encoding="utf-8")


def test_a_redirect_into_the_network_of_the_service_fails_the_job(
    api: Api, source_server: SourceServer
) -> None:
    source_server.redirect("/inside", "https://127.0.0.1/")
    body = {"source_url": "https://source.example/inside"}
    job_id = requests.post(f"{api.url}/video/submit", json=body, timeout=30).json()["job_id"]
    api.wait_for_end(job_id)
    assert api.get(f"/video/jobs/{job_id}").json()["error"]["code"] == "source_forbidden_address"


def test_the_end_of_a_job_is_told_on_the_event_bus(stack: LocalStack, api: Api) -> None:
    subscriber, told = Subscriber(stack.aws.client), list[dict[str, Any]]()
    job_id = api.submit_presigned(PATH, max_frames=1, pipeline_id="ocr_only")
    assert api.wait_for_end(job_id)[0]["status"] == "completed"

    def is_told() -> bool:
        told.extend(subscriber.received())
        return (job_id, "JobCompleted") in [(one["detail"]["job_id"], one["detail-type"]) for one in told]

    wait_until(is_told)


def test_the_receiver_that_a_job_names_is_called(api: Api, receiver: WebhookReceiver) -> None:
    job_id = api.submit_presigned(
        PATH, max_frames=1, pipeline_id="ocr_only", callback_url=f"{receiver.url}/hook"
    )
    assert api.wait_for_end(job_id)[0]["status"] == "completed"
    wait_until(lambda: api.get(f"/video/jobs/{job_id}").json()["webhook"]["state"] == "delivered")
    (call,) = [one for one in receiver.calls if one.path == "/hook"]
    assert Webhook(LOCAL_WEBHOOK_SECRET).verify(call.body, call.headers)["data"]["job_id"] == job_id


def test_a_cancelled_job_stops_and_a_retried_one_ends(api: Api) -> None:
    job_id = api.submit_presigned(PATH)
    job = requests.post(f"{api.url}/video/jobs/{job_id}/cancel", timeout=30)
    assert job.json()["error"]["code"] == "cancelled"
    assert api.get(f"/video/results/{job_id}").status_code == 404
    again = requests.post(f"{api.url}/video/jobs/{job_id}/retry", timeout=30)
    if again.status_code == 409:  # the upload had not been accepted yet
        assert "submit it again" in again.json()["detail"]
        return
    assert api.wait_for_end(job_id)[0]["status"] == "completed"


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (videos.truncated_without_moov, "moov"),
        (videos.audio_only, "no video track"),
        (videos.header_then_garbage, "moov"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_broken_file_fails_with_the_reason(
    api: Api, stack: LocalStack, tmp_path: Path, make: Callable[[Path], Path], word: str
) -> None:
    job_id = api.submit_presigned(make(tmp_path))
    body, _ = api.wait_for_end(job_id)
    assert body["status"] == "failed"
    assert body["error_message"].startswith("Unable to read video file")
    assert word in body["error_message"]
    assert stack.workers[0].is_alive()
    assert api.get(f"/video/results/{job_id}").json()["detail"] == "Job not completed"


@pytest.mark.parametrize("make", [videos.audio_only_m4a, videos.webm_renamed], ids=["m4a", "webm"])
def test_another_format_is_refused_both_ways(api: Api, tmp_path: Path, make: Callable[[Path], Path]) -> None:
    path = make(tmp_path)
    answer = api.submit_body(path.read_bytes())
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_mp4")
    body, _ = api.wait_for_end(api.submit_presigned(path))
    assert body["status"] == "failed"
    assert body["error_message"].startswith("Invalid MP4 file")


def test_an_unknown_route_and_a_body_beyond_the_gateway(api: Api) -> None:
    assert api.get("/video").status_code == 404
    assert api.submit_body(b"\0" * (11 * 2**20)).status_code == 413


@needs_real_model
def test_people_on_real_footage_are_found_as_plain_predict_finds_them(api: Api, model_path: Path) -> None:
    # GIVEN the results of the service on real footage
    stride, wanted = 40, 30
    job_id = api.submit_presigned(PEOPLE, frame_stride=stride, max_frames=wanted)
    assert api.wait_for_end(job_id)[0]["status"] == "completed"
    frames = api.get(f"/video/results/{job_id}").json()["results"]
    assert [frame["frame_index"] for frame in frames] == [number * stride for number in range(wanted)]
    # WHEN plain predict looks at the same frames, at the same precision
    with predict_in_f32():
        plain = UltralyticsDetector(model_path, settings_for(model_path, DETECTOR_BACKEND="ultralytics"))
        looks = [plain.detect(image) for image in islice(frames_of(PEOPLE), 0, wanted * stride, stride)]
    # THEN it sees the same
    for frame, seen in zip(frames, looks, strict=True):
        found = frame["result"]["detections"]
        assert len(found) == len(seen)
        assert [one for one in found if not any(is_same(one, other) for other in seen)] == []
        for x1, y1, x2, y2 in (one["xyxy"] for one in found):
            assert 0 <= x1 < x2 <= 768
            assert 0 <= y1 < y2 <= 432
    assert sum("person" in frame["result"]["classes"] for frame in frames) >= wanted / 2


def is_same(one: dict[str, Any], other: Detection) -> bool:
    is_near = all(abs(a - b) < 1 for a, b in zip(one["xyxy"], other.xyxy, strict=True))
    return is_near and one["class_id"] == other.class_id and abs(one["confidence"] - other.confidence) < 0.01


def test_status_answers_within_its_budget(api: Api) -> None:
    job_id = api.submit_presigned(PATH, max_frames=1)
    api.wait_for_end(job_id)
    times = []
    for _ in range(40):
        started = time.perf_counter()
        api.status(job_id)
        times.append(time.perf_counter() - started)
    assert min(times) < STATUS_BUDGET_S


def test_importing_the_api_stays_within_its_budget() -> None:
    code = (
        "import time; t = time.perf_counter(); import functions.video_api.app; print(time.perf_counter() - t)"
    )
    times = (
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
        for _ in range(3)
    )
    assert any(seconds < IMPORT_BUDGET_S for seconds in times)


def test_a_warm_worker_starts_a_queued_job_within_its_budget(api: Api, stack: LocalStack) -> None:
    waits = (_wait_for_a_worker(api, stack) for _ in range(3))
    assert any(seconds < START_BUDGET_S for seconds in waits)


def _wait_for_a_worker(api: Api, stack: LocalStack) -> float:
    """Seconds from the arrival of a video until an attempt began."""
    job_id = api.submit_presigned(PATH, max_frames=1)
    api.wait_for_end(job_id)
    log = stack.log_file.read_text(encoding="utf-8")
    return _logged_at(log, "job_started", job_id) - _logged_at(log, "upload_handled", job_id)


def test_a_player_gets_the_video_in_ranges(api: Api) -> None:
    job_id = api.submit_presigned(PATH, max_frames=1, pipeline_id="ocr_only")
    api.wait_for_end(job_id)
    body, content = api.get(f"/video/jobs/{job_id}/video").json(), PATH.read_bytes()
    assert (body["job_id"], body["size_bytes"]) == (job_id, len(content))
    part = requests.get(body["video_url"], headers={"Range": "bytes=4-11"}, timeout=30)
    assert (part.status_code, part.content) == (206, content[4:12])
    assert part.headers["content-range"] == f"bytes 4-11/{len(content)}"
    assert part.headers["content-type"] == "video/mp4"
    assert requests.get(body["video_url"], timeout=30).content == content


def test_nothing_signed_reaches_the_log(api: Api, stack: LocalStack) -> None:
    job_id = api.submit_presigned(PATH, max_frames=1)
    api.wait_for_end(job_id)
    requests.get(api.get(f"/video/jobs/{job_id}/video").json()["video_url"], timeout=30)
    log = stack.log_file.read_text(encoding="utf-8").lower()
    assert job_id in log
    assert [
        word for word in ("x-amz-signature", "x-amz-credential", "policy", "signature=") if word in log
    ] == []


def _logged_at(log: str, action: str, job_id: str) -> float:
    for line in log.splitlines():
        if action in line and job_id in line:
            stamp = json.loads(line)["timestamp"].replace(",", ".")
            return datetime.fromisoformat(stamp).timestamp()
    raise AssertionError(f"{action} of {job_id} is not in the log")
