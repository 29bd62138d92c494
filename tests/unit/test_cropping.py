"""The part of a picture that a job looks at."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from video_jobs.domain.region import WHOLE_PICTURE, Region
from video_worker.cropping import Crop
from video_worker.dag_runner import Payload

from tests.support.numbered_video import only

BOX = {"x": 1, "y": 2, "width": 3, "height": 4}


@pytest.mark.parametrize(
    ("region", "size", "pixels"),
    [
        (WHOLE_PICTURE, (1280, 720), (0, 0, 1280, 720)),
        (Region(0.1, 0.2, 0.3, 0.7), (1280, 720), (128, 144, 384, 504)),
        (
            Region(0.29, 0.07, 0.55, 0.56),
            (100, 100),
            (29, 7, 55, 56),
        ),  # 28.999999999999996 and 55.00000000000001
        (Region(1 / 3, 0, 2 / 3, 1), (1920, 1080), (640, 0, 1280, 1080)),
        (Region(0.1, 0.1, 0.9, 0.9), (11, 7), (1, 0, 10, 7)),  # whatever pixel it touches
        (Region(0.5, 0.5, 0.5001, 0.5001), (640, 360), (320, 180, 321, 181)),
        (Region(0.9999999999, 0, 1, 1e-12), (640, 360), (639, 0, 640, 1)),
        (Region(0.2, 0.4, 0.6, 0.8), (1, 1), (0, 0, 1, 1)),
    ],
)
def test_a_region_has_the_pixels_that_it_touches(
    region: Region, size: tuple[int, int], pixels: tuple[int, ...]
) -> None:
    assert Crop.of(region, *size) == pixels


SIDE = st.floats(0, 1)


@given(st.tuples(SIDE, SIDE, SIDE, SIDE), st.integers(1, 9000), st.integers(1, 9000))
def test_a_crop_lies_in_the_picture_and_has_a_pixel(
    sides: tuple[float, ...], width: int, height: int
) -> None:
    (x1, x2), (y1, y2) = sorted(sides[:2]), sorted(sides[2:])
    crop = Crop.of(Region(x1, y1, x2, y2), width, height)
    assert 0 <= crop.left < crop.right <= width
    assert 0 <= crop.top < crop.bottom <= height


class Looking:
    """A tool that finds a car and a word near the top left corner of what it is given."""

    aborted = False

    def begin_part(self) -> Looking:
        return Looking()

    def abort(self) -> None:
        self.aborted = True

    def run(self, payload: Payload) -> dict[str, Any]:
        image = payload["image"]
        assert image.flags.c_contiguous
        return {
            "shape": list(image.shape),
            "first": int(image[0, 0, 0]),
            "detections": [{"xyxy": [0, 0.25, 2.13, 3], "class_name": "car"}],
            "blocks": [{"text": "EXIT", "bbox": BOX}],
        }


def looked(region: Region | None) -> dict[str, Any]:
    image = np.arange(40 * 100 * 3, dtype=np.uint32).reshape(40, 100, 3).astype(np.uint8)
    return only(Looking(), region).begin_part().run({"frame_index": 5, "position": 0, "image": image})


def test_tools_see_the_region_and_their_places_are_moved_back() -> None:
    assert looked(Region(0.1, 0.5, 0.5, 1)) == {
        "shape": [20, 40, 3],
        "first": (20 * 100 + 10) * 3 % 256,
        "detections": [{"xyxy": [10, 20.25, 12.13, 23], "class_name": "car"}],
        "blocks": [{"text": "EXIT", "bbox": BOX | {"x": 11, "y": 22}}],
    }


def test_the_whole_picture_is_the_same_as_no_region() -> None:
    assert looked(WHOLE_PICTURE) == looked(None)
    assert looked(None)["shape"] == [40, 100, 3]


def test_a_picture_that_cannot_be_cut_fails_the_frame_for_all() -> None:
    tool = Looking()
    with pytest.raises(AttributeError):
        only(tool, WHOLE_PICTURE).run({"image": None})
    assert tool.aborted
