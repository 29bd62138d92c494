"""Fitting frames into the model's input and choosing boxes: the same as in Ultralytics."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from video_worker.plugins.yolo.detector import MAX_DETECTIONS
from video_worker.plugins.yolo.letterbox import Letterbox
from video_worker.plugins.yolo.suppression import chosen_boxes
from video_worker.plugins.yolo.ultralytics_environment import quiet_ultralytics

CLASSES = 80
SIZES = [(640, 640), (480, 640), (1080, 1920), (1920, 1080), (333, 517), (7, 3000), (641, 639), (1, 1)]


def output_of_a_model(seed: int, candidates: int) -> NDArray[np.float32]:
    """Crowded boxes with random scores, as a model gives them."""
    random = np.random.default_rng(seed)
    centres = random.uniform(0, 640, (2, candidates))
    sizes = random.uniform(1, 300, (2, candidates))
    scores = random.uniform(0, 1, (CLASSES, candidates)) ** 40
    return np.concatenate([centres, sizes, scores])[None].astype(np.float32)


@pytest.mark.parametrize("confidence", [0.001, 0.25, 0.9])
@pytest.mark.parametrize("iou", [0.2, 0.45, 0.7])
@pytest.mark.parametrize(("seed", "classes"), [(0, None), (1, None), (2, [3]), (3, [70, 0, 9, 41, 79])])
def test_the_same_boxes_are_chosen(
    seed: int, classes: list[int] | None, iou: float, confidence: float
) -> None:
    quiet_ultralytics()
    import torch
    from ultralytics.utils import nms

    output = output_of_a_model(seed, candidates=2000)
    (theirs,) = nms.non_max_suppression(torch.from_numpy(output), confidence, iou, classes, max_time_img=3600)
    ours = chosen_boxes(output, confidence, iou, classes)
    assert len(ours) > (10 if classes is None else 0)
    assert ours.tolist() == theirs.tolist()


def test_a_model_that_chooses_boxes_itself_is_only_filtered() -> None:
    rows = [[0, 0, 9, 9, 0.9, 1], [0, 0, 9, 9, 0.8, 1], [0, 0, 9, 9, 0.2, 1]]
    output = np.array([rows], np.float32)
    assert chosen_boxes(output, 0.25, 0.5).tolist() == output[0, :2].tolist()
    assert chosen_boxes(output, 0.1, 0.5, {1}).tolist() == output[0].tolist()
    assert chosen_boxes(output, 0.1, 0.5, {0}).tolist() == []


@pytest.mark.parametrize("chooses_itself", [True, False])
def test_classes_that_are_not_wanted_take_no_place(chooses_itself: bool) -> None:
    # GIVEN 300 strong boxes of class 1, side by side, and a weak one of class 0
    output = np.zeros((1, MAX_DETECTIONS + 1, 6), np.float32)
    output[0, :, 0] = np.arange(MAX_DETECTIONS + 1) * 10
    output[0, :, 2:4] = 5
    strong, weak = ([0.9, 1], [0.3, 0]) if chooses_itself else ([0, 0.9], [0.3, 0])
    output[0, :, 4:] = [strong] * MAX_DETECTIONS + [weak]
    if not chooses_itself:
        output = np.ascontiguousarray(output.transpose(0, 2, 1))
    # WHEN class 0 is wanted, THEN the weak one is found, which has no place otherwise
    assert chosen_boxes(output, 0.25, 0.5)[:, 5].tolist() == [1] * MAX_DETECTIONS
    assert chosen_boxes(output, 0.25, 0.5, {0})[:, 5].tolist() == [0]


def test_nothing_is_chosen_from_nothing() -> None:
    assert chosen_boxes(np.zeros((1, 4 + CLASSES, 100), np.float32), 0.25, 0.5).shape == (0, 6)


@pytest.mark.parametrize("frame_size", SIZES)
@pytest.mark.parametrize("input_size", [(640, 640), (384, 640), (320, 320)])
def test_frames_are_placed_in_the_same_way(frame_size: tuple[int, int], input_size: tuple[int, int]) -> None:
    quiet_ultralytics()
    from ultralytics.data.augment import LetterBox
    from ultralytics.utils import ops

    random = np.random.default_rng(0)
    image = random.integers(0, 256, (*frame_size, 3), np.uint8)
    boxes = random.uniform(-20, 700, (50, 4)).astype(np.float32)
    ours = Letterbox.of(frame_size, input_size)
    assert np.array_equal(ours.place(image), LetterBox(input_size, auto=False)(image=image))
    back = ops.scale_boxes(input_size, boxes.copy(), frame_size)
    assert np.allclose(ours.to_frame(boxes), back, rtol=1e-6, atol=1e-4)
