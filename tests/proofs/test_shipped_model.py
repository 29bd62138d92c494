"""The shipped model keeps what its card says in every size and pipeline; threads may start it together."""

from __future__ import annotations

import pytest

from gpu_worker_image.models.street_demo_training import SHIPPED
from gpu_worker_image.models.street_demo_training.measure import measure_boxes, measure_words
from tests.integration.test_overlap import test_threads_may_make_the_first_call_together as first_calls

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
