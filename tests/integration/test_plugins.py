"""The real plugins: YOLO in both backends, Tesseract in both engines."""

from __future__ import annotations

import importlib.util
import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import openvino
import pytest
from video_jobs.domain.errors import SettingError
from video_jobs.settings import WorkerSettings
from video_worker.pipeline_service import VideoFilePipelineService
from video_worker.plugins.ocr.engines import create_engine
from video_worker.plugins.ocr.plugin import create_plugin as create_ocr
from video_worker.plugins.yolo.plugin import create_detector
from video_worker.video.open_video import Image

from tests.fixtures.draw_text_video import draw_text_video
from tests.fixtures.make_tiny_mp4 import FPS, PATH, TEXTS, words_of_frame
from tests.proofs.bench.ways import predict_in_f32
from tests.support import videos
from tests.support.model import PEOPLE, needs_real_model
from tests.support.videos import images_of


def settings(model_path: Path | str = "/nowhere", **changes: str) -> WorkerSettings:
    return WorkerSettings.from_environment(
        {"MODEL_PATH": str(model_path), "OCR_ENGINE": "tesseract"} | changes
    )


def service(model_path: Path | str = "/nowhere", **changes: str) -> VideoFilePipelineService:
    return VideoFilePipelineService.from_settings(settings(model_path, **changes))


@pytest.fixture
def people() -> list[Image]:
    return images_of(PEOPLE, stride=40)


@needs_real_model
def test_both_backends_find_the_same_boxes(model_path: Path, people: list[Image]) -> None:
    own = create_detector(settings(model_path, DETECTOR_BACKEND="openvino"))
    with predict_in_f32():
        theirs = create_detector(settings(model_path, DETECTOR_BACKEND="ultralytics"))
        theirs.detect(people[0])
    found = 0
    for image in people[:20]:
        ours, reference = own.detect(image), theirs.detect(image)
        for one, other in zip(ours, reference, strict=True):
            assert (one.class_id, one.class_name) == (other.class_id, other.class_name)
            assert np.allclose(one.xyxy, other.xyxy, atol=0.5)
            assert abs(one.confidence - other.confidence) < 0.01
        found += len(ours)
    assert found >= 10


@needs_real_model
def test_detections_are_sorted_and_inside_the_picture(model_path: Path, people: list[Image]) -> None:
    detector = create_detector(settings(model_path, CONFIDENCE_THRESHOLD="0.05"))
    for image in people[:10]:
        found = detector.detect(image)
        height, width = image.shape[:2]
        assert found == sorted(found, key=lambda one: one.sort_key)
        for one in found:
            x1, y1, x2, y2 = one.xyxy
            assert 0 <= x1 < x2 <= width
            assert 0 <= y1 < y2 <= height


def test_one_detector_serves_several_threads(model_path: Path) -> None:
    detector = create_detector(settings(model_path, CONFIDENCE_THRESHOLD="0.01"))
    images = images_of(PATH, stride=4)
    alone = [detector.detect(image) for image in images]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(detector.detect, images * 3))
    assert together == alone * 3


@pytest.mark.parametrize("backend", ["openvino", "ultralytics"])
def test_half_precision_on_a_cpu_is_refused_or_really_taken(model_path: Path, backend: str) -> None:
    if backend == "openvino" and "FP16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        facts = create_detector(settings(model_path, PRECISION="f16")).facts()
        assert facts["precision"] == "f16"
    else:
        with pytest.raises(SettingError, match="PRECISION=f32"):
            create_detector(settings(model_path, PRECISION="f16", DETECTOR_BACKEND=backend))


def test_a_precision_or_a_device_that_is_not_there_is_told_at_the_start(model_path: Path) -> None:
    with pytest.raises(SettingError, match="PRECISION"):
        settings(model_path, PRECISION="bf16")
    for device in ("0", "cuda:0", "gpu", "cuda:x"):
        with pytest.raises(SettingError, match="DEVICE"):
            create_detector(settings(model_path, DEVICE=device, DETECTOR_BACKEND="ultralytics"))


def test_the_whole_result_has_the_documented_shape(model_path: Path) -> None:
    made = service(model_path)
    (frame,) = made.run_on_file(PATH, "yolo_ocr", max_frames=1)
    result = frame["result"]
    names = {"blocks", "classes", "confidence", "count", "detections", "error", "language", "text"}
    assert set(result) == names
    assert (result["language"], result["error"]) == ("eng", None)
    assert result["count"] == len(result["detections"])
    fingerprint = made.fingerprint("yolo_ocr")
    assert len(fingerprint["plugins"]["yolo"]["model_sha256"]) == 64
    assert len(fingerprint["plugins"]["ocr"]["traineddata_sha256"][0]) == 64


ENGINES = {"tesserocr": importlib.util.find_spec("tesserocr"), "pytesseract": shutil.which("tesseract")}


@pytest.mark.parametrize("engine", ENGINES)
def test_the_text_of_the_fixture_is_read(engine: str) -> None:
    if ENGINES[engine] is None:
        pytest.skip("tesserocr is a package, and the program tesseract comes from apt-get only")
    made = service(OCR_ENGINE=engine)
    for frame in made.run_on_file(PATH, "ocr_only", frame_stride=FPS // 2):
        assert set(frame["result"]["text"].split()) == words_of_frame(frame["frame_index"])
        assert 0.8 < frame["result"]["confidence"] <= 1.0
        height, width = 360, 640
        for block in frame["result"]["blocks"]:
            box = block["bbox"]
            assert 0 <= box["x"] <= box["x"] + box["width"] <= width
            assert 0 <= box["y"] <= box["y"] + box["height"] <= height
    assert len(set(TEXTS)) == 4


def test_text_drawn_on_a_video_is_found_again_and_nothing_else(tmp_path: Path) -> None:
    source = videos.numbered(tmp_path, size=(640, 360))
    truth = draw_text_video(source, tmp_path / "drawn.mp4")
    made = service()
    for frame in made.run_on_file(tmp_path / "drawn.mp4", "ocr_only", frame_stride=5):
        words = [block["text"] for block in frame["result"]["blocks"]]
        assert sorted(words) == sorted(truth[frame["frame_index"]])


PAGE = "every word of this dense page must be found again whatever its layout says"


def test_a_page_full_of_text_is_read_as_a_page() -> None:
    page = np.full((720, 1280, 3), 255, np.uint8)
    words = PAGE.split()
    for row in range(14):
        at = (15, 40 + 48 * row)
        cv2.putText(page, " ".join(words), at, cv2.FONT_HERSHEY_SIMPLEX, 0.95, (0, 0, 0), 2)
    tool = create_ocr(settings()).tool("read")
    found = [block["text"] for block in tool.run({"image": page, "position": 0})["blocks"]]
    hits = sum((Counter(found) & Counter(words * 14)).values())
    assert hits >= 0.95 * 14 * len(words)
    assert hits >= 0.95 * len(found)


def test_engines_are_safe_in_threads() -> None:
    engine = create_engine(settings())
    frames = images_of(PATH, stride=10)
    images = [cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY).astype(np.uint8) for frame in frames]
    alone = [engine.read_tsv(image) for image in images]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(engine.read_tsv, images * 3)) == alone * 3


def test_a_missing_engine_or_language_is_told_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"OCR_LANGUAGE": "tlh", "TESSDATA_DIR": "/nowhere", "OCR_ENGINE": "other"}.items():
        with pytest.raises(SettingError, match=name):
            create_engine(settings(**{name: value}))
    with pytest.raises(SettingError, match=r"There is no Tesseract data for 'tlh'; installed: eng$"):
        create_engine(settings(), "eng+tlh")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(SettingError, match="apt-get"):
        create_engine(settings(OCR_ENGINE="pytesseract"))
