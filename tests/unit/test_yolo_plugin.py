"""What a job may choose of the detection of objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from video_jobs.domain.errors import UnknownClassError
from video_jobs.domain.object_choice import ALL_OBJECTS, ObjectChoice
from video_worker.plugins.yolo.class_names import class_ids_of
from video_worker.plugins.yolo.detector import EVERYTHING, Detection, Wanted, to_detections
from video_worker.plugins.yolo.plugin import YoloPlugin
from video_worker.video.open_video import Image

NAMES = {0: "person", 7: "truck", 2: "car", 3: "car"}


class Recorder:
    """A detector that finds nothing, and knows what it was asked for."""

    names = NAMES

    def __init__(self) -> None:
        self.asked: list[Wanted] = []

    def detect(self, image: Image, wanted: Wanted = EVERYTHING) -> list[Detection]:
        self.asked.append(wanted)
        return []

    def facts(self) -> Mapping[str, Any]:
        return {"model": "none"}


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        (ALL_OBJECTS, EVERYTHING),
        (ObjectChoice(("car",)), Wanted(frozenset({2, 3}))),
        (ObjectChoice(("truck", "person"), 0.0), Wanted(frozenset({0, 7}), 0.0)),
        (ObjectChoice(min_confidence=0.6), Wanted(None, 0.6)),
    ],
)
def test_the_detector_is_asked_for_what_the_job_chose(choice: ObjectChoice, wanted: Wanted) -> None:
    detector = Recorder()
    plugin = YoloPlugin(detector).with_options(choice.for_plugins())
    plugin.tool("detect").run({"image": np.zeros((1, 1, 3), np.uint8)})
    assert detector.asked == [wanted]
    assert plugin.facts() == YoloPlugin(detector).facts()


@pytest.mark.parametrize(
    ("classes", "told"),
    [
        (("lorry",), "'lorry'"),
        (("car", "Truck", "a bus"), "'Truck' (did you mean 'truck'?), 'a bus'"),
        (("cars",), "'cars'"),
        ((" car",), "' car'"),
    ],
)
def test_an_unknown_class_is_told_with_the_known_ones(classes: tuple[str, ...], told: str) -> None:
    with pytest.raises(UnknownClassError) as error:
        class_ids_of(classes, NAMES)
    known = "person, car, truck"
    assert error.value.message == f"The model has no class {told}; it knows: {known}"


@pytest.mark.parametrize(("many", "end"), [(100, "c98, c99"), (101, "c98, c99 and 1 more")])
def test_the_message_names_a_hundred_classes(many: int, end: str) -> None:
    with pytest.raises(UnknownClassError) as error:
        class_ids_of(("x",), {number: f"c{number}" for number in range(many)})
    assert error.value.message.endswith(end)


def test_the_least_confidence_is_that_of_the_results() -> None:
    confidences = [0.50004, 0.49996, 0.49994, 0.4]
    rows = [[0.0, 0.0, 1.0, 1.0, confidence, 0.0] for confidence in confidences]
    assert [one.confidence for one in to_detections(rows, NAMES, Wanted(None, 0.5))] == [0.5, 0.5]
    assert len(to_detections(rows, NAMES)) == len(rows)
    assert 0.499 < Wanted(None, 0.5).threshold(0.25) < 0.49995
    assert (Wanted().threshold(0.25), Wanted(None, 0.0).threshold(0.25)) == (0.25, 0.0)
