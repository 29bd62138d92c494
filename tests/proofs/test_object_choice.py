"""A job's classes, least confidence and region: only what was asked for is computed and told."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import pytest
from video_jobs.adapters.local.local_storage import LocalStorage
from video_jobs.application import VideoJobs
from video_jobs.bindings import Ports
from video_jobs.domain.errors import UnsupportedOptionError
from video_jobs.domain.region import WHOLE_PICTURE, Region
from video_jobs.domain.rules import Rules
from video_worker.job_worker import Outcome
from video_worker.pipeline_service import VideoFilePipelineService
from video_worker.plugins.ocr.reading import Box, Words
from video_worker.plugins.ocr.tesseract_reader import TesseractReader
from video_worker.plugins.yolo.detector import Wanted
from video_worker.plugins.yolo.ultralytics_detector import UltralyticsDetector
from video_worker.results_serializer import frame_line
from video_worker.video.open_video import Picture, VideoOpener
from video_worker.video.video_reader import VideoReader

from gpu_worker_image.models.street_demo_training import SHIPPED
from tests.fixtures.make_scene_mp4 import PATH as SCENE
from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.support.clock import ManualClock
from tests.support.videos import images_of
from tests.support.worker_world import World, settings

STRIDE = 10
REGION = Region(0.1, 0.2, 0.75, 0.9)
LEFT, TOP, RIGHT, BOTTOM = 64, 72, 480, 324
"""The region in pixels of both videos, which have 640 x 360."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The shipped model under a name by which Ultralytics knows its format."""
    path = tmp_path_factory.mktemp("model") / "street_openvino_model"
    return str(shutil.copytree(SHIPPED, path))


def service(open_video: VideoOpener = VideoReader, **further: str) -> VideoFilePipelineService:
    reading = {"OCR_ENGINE": "tesseract", "OCR_REGION_CLASSES": "car bus person plate sign"}
    return VideoFilePipelineService.from_settings(settings(**(reading | further)), open_video)


def results(made: VideoFilePipelineService, path: Path, pipeline_id: str, **chosen: Any) -> list[Any]:
    return [frame["result"] for frame in made.run_on_file(path, pipeline_id, frame_stride=STRIDE, **chosen)]


def as_bytes(frames: Sequence[Any]) -> list[bytes]:
    return [frame_line(frame) for frame in frames]


def filtered(result: Any, classes: Sequence[str], least: float) -> dict[str, Any]:
    found = [
        one
        for one in result["detections"]
        if one["confidence"] >= least and (not classes or one["class_name"] in classes)
    ]
    counts = Counter(one["class_name"] for one in found)
    return {"detections": found, "count": len(found), "classes": dict(counts)}


@pytest.mark.parametrize("backend", ["openvino", "ultralytics"])
def test_a_choice_gives_what_filtering_everything_afterwards_gives(backend: str, model: str) -> None:
    made = service(DETECTOR_BACKEND=backend, MODEL_PATH=model)
    sensitive = service(DETECTOR_BACKEND=backend, MODEL_PATH=model, CONFIDENCE_THRESHOLD="0.01")
    everything = results(sensitive, TINY, "yolo_only")
    assert 0 < max(frame["count"] for frame in everything) < 300
    at_least = sorted(one["confidence"] for frame in everything for one in frame["detections"])[-20]
    for classes, least in [
        (("sign",), None),
        (("bus", "plate"), 0.02),
        ((), 0.05),
        ((), at_least),  # the confidence of an object is enough for it
        (("car", "person"), 0.6),
    ]:
        ours = results(made, TINY, "yolo_only", classes=classes, min_confidence=least)
        expected = [filtered(frame, classes, 0.25 if least is None else least) for frame in everything]
        assert as_bytes(ours) == as_bytes(expected)
        assert any(frame["count"] for frame in ours)
    # AND the next job, which chooses nothing, gets what the settings say
    assert as_bytes(results(made, TINY, "yolo_only")) == as_bytes(
        [filtered(frame, (), 0.25) for frame in everything]
    )


def test_calls_of_different_jobs_may_share_a_batch(model: str) -> None:
    detector = UltralyticsDetector(Path(model), settings(DETECTOR_BATCH="3"))
    image = images_of(TINY)[0]
    choices = [Wanted(), Wanted(frozenset({5}), 0.02), Wanted(None, 0.01)]
    together = detector._predict([(image, wanted) for wanted in choices])
    assert together == [detector.detect(image, wanted) for wanted in choices]
    assert len({len(found) for found in together}) == 3


def test_only_the_regions_of_chosen_objects_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    regions: list[int] = []
    read = TesseractReader.read_regions

    def counted(reader: TesseractReader, image: Any, boxes: Sequence[Box]) -> list[Words]:
        regions.append(len(boxes))
        return read(reader, image, boxes)

    monkeypatch.setattr(TesseractReader, "read_regions", counted)
    made = service(OCR_CHANGE_GATE="false")
    everything, read_of_all = results(made, TINY, "yolo_ocr_regions"), sum(regions)
    regions.clear()
    signs = results(made, TINY, "yolo_ocr_regions", classes=["sign"])
    assert sum(regions) == sum(frame["count"] for frame in signs) < read_of_all
    assert any(frame["text"] for frame in signs)
    assert as_bytes([filtered(frame, ["sign"], 0) for frame in everything]) == as_bytes(
        [{name: frame[name] for name in ("detections", "count", "classes")} for frame in signs]
    )


# --- the region --------------------------------------------------------------------------------------


class CutVideo(VideoReader):
    """The video as if only the pixels of the region had been filmed."""

    def __enter__(self) -> Self:
        return self

    def frames(self, *given: Any, **named: Any) -> Iterator[Picture]:
        for picture in super().frames(*given, **named):
            assert picture.image is not None
            yield replace(picture, image=picture.image[TOP:BOTTOM, LEFT:RIGHT].copy())


@pytest.mark.parametrize(
    ("engine", "pipeline_id"),
    [("ppocr", "yolo_ocr"), ("tesseract", "yolo_ocr"), ("ppocr", "yolo_ocr_regions")],
)
def test_a_region_gives_what_a_cut_video_gives_in_pixels_of_the_whole(engine: str, pipeline_id: str) -> None:
    expected = results(service(CutVideo, OCR_ENGINE=engine), TINY, pipeline_id)
    for frame in expected:
        for one in frame["detections"]:
            x1, y1, x2, y2 = one["xyxy"]
            one["xyxy"] = [x1 + LEFT, y1 + TOP, x2 + LEFT, y2 + TOP]
        for word in frame["blocks"]:
            word["bbox"]["x"] += LEFT
            word["bbox"]["y"] += TOP
    ours = results(service(OCR_ENGINE=engine), TINY, pipeline_id, region=REGION)
    assert as_bytes(ours) == as_bytes(expected)
    assert any(frame["detections"] for frame in ours)
    assert any(frame["blocks"] for frame in ours)


def test_the_whole_picture_as_region_changes_no_byte() -> None:
    made = service(OCR_ENGINE="ppocr")
    whole, none = (results(made, SCENE, "yolo_ocr", region=region) for region in (WHOLE_PICTURE, None))
    assert as_bytes(whole) == as_bytes(none)


@pytest.mark.parametrize(("engine", "backend"), [("tesseract", "ultralytics"), ("ppocr", "openvino")])
def test_the_smallest_regions_can_be_analysed(engine: str, backend: str, model: str) -> None:
    made = service(OCR_ENGINE=engine, DETECTOR_BACKEND=backend, MODEL_PATH=model)
    for region, width, height in [
        (Region(0.5, 0.5, 0.5001, 0.5001), 1, 1),
        (Region(0.999, 0.999, 1, 1), 1, 1),
        (Region(0, 0.5, 1, 0.5 + 3 / 360), 640, 3),
        (Region(0.5, 0, 0.5 + 3 / 640, 1), 3, 360),
    ]:
        for pipeline_id in ("yolo_ocr", "yolo_ocr_regions"):
            for frame in results(made, TINY, pipeline_id, region=region, min_confidence=0.0):
                for one in frame["detections"]:
                    x1, y1, x2, y2 = one["xyxy"]
                    assert x2 - x1 <= width + 0.001
                    assert y2 - y1 <= height + 0.001


# --- what cannot be followed -------------------------------------------------------------------------


@pytest.mark.parametrize("choice", [{"classes": ["car"]}, {"min_confidence": 0.5}])
def test_a_pipeline_that_finds_no_objects_refuses_a_choice_of_them(choice: dict[str, Any]) -> None:
    (name,) = choice
    with pytest.raises(UnsupportedOptionError, match=f"^The pipeline 'ocr_only' does not take {name}: "):
        service().run_on_file(TINY, "ocr_only", **choice)


@pytest.fixture
def world(tmp_path: Path) -> World:
    clock = ManualClock()
    ports = Ports.in_memory(clock, storage=lambda: LocalStorage(tmp_path / "storage"))
    made = World(tmp_path, VideoJobs(ports, Rules(known_pipelines={"yolo_only", "ocr_only"})))
    made.clock = clock
    made.pipelines = service()
    return made


@pytest.mark.parametrize(
    ("pipeline_id", "classes", "code", "words"),
    [
        (
            "yolo_only",
            ("car", "Sign"),
            "unknown_class",
            "no class 'Sign' (did you mean 'sign'?); it knows: car,",
        ),
        ("ocr_only", ("car",), "unsupported_option", "'ocr_only' does not take classes"),
    ],
)
def test_a_job_that_cannot_be_followed_fails_before_its_video_is_opened(
    world: World, pipeline_id: str, classes: tuple[str, ...], code: str, words: str
) -> None:
    def never(*_: object, **__: object) -> VideoReader:
        raise AssertionError("a video was opened")

    world.pipelines = service(never)
    world.submit(TINY, pipeline_id, classes=classes)
    assert world.worker().run_once() is Outcome.FAILED
    assert world.error_code == code
    assert words in world.error_message


def test_a_job_gets_what_it_chose(world: World) -> None:
    world.submit(
        TINY, "yolo_only", classes=("sign",), min_confidence=0.02, region=REGION, frame_stride=STRIDE
    )
    assert world.worker().run_once() is Outcome.COMPLETED
    chosen = {"classes": ["sign"], "min_confidence": 0.02, "region": REGION}
    expected = results(world.pipelines, TINY, "yolo_only", **chosen)
    stored = world.results()
    assert all(frame_line(frame) in stored for frame in expected)
    assert any(frame["count"] for frame in expected)
