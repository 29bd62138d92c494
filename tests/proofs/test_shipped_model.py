"""The shipped model does what its card says in every size and pipeline, and so does its generator."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from video_jobs.settings import WorkerSettings
from video_worker.pipeline_service import VideoFilePipelineService

from gpu_worker_image.models.street_demo_training import SHIPPED
from gpu_worker_image.models.street_demo_training.clips import street_clip
from gpu_worker_image.models.street_demo_training.measure import measure_boxes, measure_words
from gpu_worker_image.models.street_demo_training.scenes import Scene, Thing, random_scene, render
from gpu_worker_image.models.street_demo_training.shapes import CLASSES
from gpu_worker_image.models.street_demo_training.train import TrainingPlan, train, write_dataset
from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.integration.test_overlap import test_threads_may_make_the_first_call_together as first_calls
from tools.annotate import write_annotated_frame

SAMPLE = 60


def test_boxes_on_held_out_scenes_are_above_the_bar() -> None:
    quality = measure_boxes(SHIPPED, SAMPLE)
    assert quality["map50"] >= 0.90
    assert quality["map50_95"] >= 0.65


@pytest.mark.parametrize("size", [(960, 540), (1280, 720)])
@pytest.mark.parametrize("pipeline_id", ["yolo_ocr", "yolo_ocr_regions"])
def test_words_on_a_clip_are_above_the_bar(pipeline_id: str, size: tuple[int, int]) -> None:
    quality = measure_words(SHIPPED, pipeline_id, size)
    assert (quality["recall"] or 0) >= 0.80
    assert (quality["precision"] or 0) >= 0.90


@pytest.mark.parametrize("_", range(5))
def test_threads_may_make_the_first_call_together(_: int) -> None:
    first_calls()


def test_the_same_seed_gives_the_same_scene() -> None:
    pictures = [render(random_scene(7)) for _ in range(2)]
    render(random_scene(8))
    assert np.array_equal(pictures[0][0], pictures[1][0])
    assert pictures[0][1] == pictures[1][1]
    assert hashlib.sha256(render(random_scene(9))[0].tobytes()) != hashlib.sha256(pictures[0][0].tobytes())


def test_truth_is_where_things_were_drawn() -> None:
    car = Thing("car_rear", x=200, bottom=250, height=100, color=(40, 40, 200), text="KXR742", speed=3)
    _, truths = render(Scene(1, (640, 360), 120, (car,)))
    found = {truth.class_name: truth for truth in truths}
    assert set(found) == {"car", "plate"}
    assert np.allclose(found["car"].xyxy, (137.5, 150, 262.5, 250), atol=2)
    assert found["plate"].text == "KXR742"
    _, later = render(Scene(1, (640, 360), 120, (car,)), time=10)
    assert np.allclose(later[0].xyxy, np.add(truths[0].xyxy, (30, 0, 30, 0)), atol=1)


def test_what_is_hidden_is_not_in_the_truth() -> None:
    person = Thing("person", x=200, bottom=240, height=60, color=(40, 200, 40))
    bus = Thing("bus_side", x=200, bottom=260, height=120, color=(40, 40, 200))
    _, truths = render(Scene(1, (640, 360), 120, (person, bus)))
    assert [truth.class_name for truth in truths] == ["bus"]


def test_the_clip_changes_its_sign() -> None:
    clip = street_clip()
    words = [next(t.text for t in clip.render(i)[1] if t.class_name == "sign") for i in range(0, 40, 10)]
    assert tuple(words) == clip.words


def test_training_goes_on_where_it_was_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN a run of two epochs that is stopped after the first
    from ultralytics.engine.trainer import BaseTrainer

    plan = TrainingPlan(tmp_path, {"train": (0, 8), "val": (100, 4)}, epochs=2, image_size=64, batch=4)
    save = BaseTrainer.save_model

    def save_and_stop(trainer: Any) -> None:
        save(trainer)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(BaseTrainer, "save_model", save_and_stop)
        with pytest.raises(KeyboardInterrupt):
            train(plan)
    # WHEN it is started again
    train(plan)
    # THEN it trained the second epoch only, and has weights
    history = (tmp_path / "runs" / "street" / "results.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[0] for line in history[1:]] == ["1", "2"]
    assert (plan.weights / "best.pt").is_file()


def test_labels_are_shares_of_the_picture(tmp_path: Path) -> None:
    write_dataset(tmp_path, {"train": (3, 2)})
    _, truths = render(random_scene(3))
    lines = (tmp_path / "labels" / "train" / "3.txt").read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(truths)
    for line, truth in zip(lines, truths, strict=True):
        number, *shares = line.split()
        assert CLASSES[int(number)] == truth.class_name
        center_x, _, width, _ = (float(share) * 640 for share in shares)
        assert np.allclose((center_x - width / 2, center_x + width / 2), truth.xyxy[::2], atol=0.1)


def test_the_annotated_frame_is_a_picture(tmp_path: Path) -> None:
    service = VideoFilePipelineService.from_settings(
        WorkerSettings.from_environment({"MODEL_PATH": str(SHIPPED)})
    )
    frames = list(service.run_on_file(TINY, "yolo_ocr", frame_stride=10))
    picture = write_annotated_frame(TINY, frames, tmp_path / "annotated.png")
    assert picture is not None
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert write_annotated_frame(TINY, [], tmp_path / "none.png") is None
    assert service.fingerprint("yolo_ocr")["plugins"]["yolo"]["classes"] == list(CLASSES)
    assert "model" not in json.dumps(frames)
