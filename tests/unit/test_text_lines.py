"""Where text may stand in a frame, and where it does not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from video_worker.plugins.ocr.engines import GrayImage
from video_worker.plugins.ocr.rectangles import iou
from video_worker.plugins.ocr.regions import region_of, without_doubles
from video_worker.plugins.ocr.text_lines import find_text_lines


def written(text: str, at: tuple[int, int], ink: int, paper: int, scale: float = 1.0) -> GrayImage:
    picture = np.full((360, 640), paper, np.uint8)
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, ink, 2, cv2.LINE_AA)
    return picture


@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (255, 0), (30, 120), (230, 140)])
@pytest.mark.parametrize("scale", [0.6, 1.0, 2.5])
def test_a_line_is_found_dark_on_light_and_light_on_dark(ink: int, paper: int, scale: float) -> None:
    (width, height), _ = cv2.getTextSize("HARBOUR 12", cv2.FONT_HERSHEY_SIMPLEX, scale, 2)
    lines = find_text_lines(written("HARBOUR 12", (40, 200), ink, paper, scale))
    truth = [40.0, 200.0 - height, 40.0 + width, 200.0]
    assert max(iou(line.xyxy, truth) for line in lines) > 0.7


def test_two_lines_come_from_top_to_bottom() -> None:
    picture = np.minimum(written("SECOND", (50, 300), 0, 255), written("FIRST", (300, 60), 0, 255))
    lines = find_text_lines(picture.astype(np.uint8))
    assert [round(line.xyxy[3], -1) for line in lines] == [60, 300]


def test_windows_of_a_house_are_no_text() -> None:
    picture = np.full((360, 640), 180, np.uint8)
    for x in range(20, 600, 40):
        for y in range(20, 330, 60):
            cv2.rectangle(picture, (x, y), (x + 18, y + 24), 60, 2)
    assert find_text_lines(picture) == []


def test_an_empty_frame_has_no_lines() -> None:
    assert find_text_lines(np.full((360, 640), 128, np.uint8)) == []


def test_a_region_finds_its_way_back() -> None:
    picture = np.zeros((360, 640), np.uint8)
    region = region_of(picture, [100, 50, 200, 74], margin=0.0)
    assert region is not None
    assert region.pixels.shape == (48, 200)
    block = region.in_frame({"bbox": {"x": 20, "y": 10, "width": 40, "height": 20}})
    assert block["bbox"] == {"x": 110, "y": 55, "width": 20, "height": 10}


@pytest.mark.parametrize("box", [[0, 0, 3, 3], [700, 10, 800, 30], [10, 400, 60, 420]])
def test_a_region_too_small_or_outside_is_none(box: list[float]) -> None:
    assert region_of(np.zeros((360, 640), np.uint8), box, margin=0.1) is None


def test_doubles_are_left_out() -> None:
    first, same, other = [0.0, 0.0, 10.0, 10.0], [0.0, 0.0, 10.0, 9.0], [20.0, 0.0, 30.0, 10.0]
    assert without_doubles([first, same, other]) == [first, other]
