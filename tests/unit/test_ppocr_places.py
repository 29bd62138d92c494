"""Which parts of a frame are searched, and how what was found in several of them is put together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from video_worker.plugins.ocr.ppocr.detection import ScaledFrame
from video_worker.plugins.ocr.ppocr.joining import joined
from video_worker.plugins.ocr.ppocr.second_look import (
    MOST_LOOKS,
    doubtful,
    fine_print,
    parts_to_look_at,
)
from video_worker.plugins.ocr.ppocr.shapes import SMALLEST
from video_worker.plugins.ocr.ppocr.text_map import Found, in_reading_order, lines_of_map
from video_worker.plugins.ocr.reading import Area, Line

from tests.fixtures.text_pictures import Written, picture_of


def found(*box: float, score: float = 0.9) -> Found:
    return Found(Line.upright(list(box)).corners, score)


def boxes(lines: list[Found]) -> list[list[int]]:
    return sorted([round(value) for value in line.box] for line in lines)


@pytest.mark.parametrize(
    ("size", "side", "searched"),
    [
        ((1920, 1080), 960, (544, 960)),
        ((1080, 1920), 960, (960, 544)),
        ((3840, 2160), 640, (352, 640)),
        ((768, 432), 960, (448, 768)),
        ((1280, 720), 4096, (704, 1280)),
        ((100, 50), 960, SMALLEST),
        ((2000, 1), 960, (192, 960)),
    ],
)
def test_frames_are_scaled_to_a_bounded_side(
    size: tuple[int, int], side: int, searched: tuple[int, int]
) -> None:
    frame = ScaledFrame.of(np.zeros((size[1], size[0], 3), np.uint8), side)
    assert frame.pixels.shape[:2] == searched


@given(st.data())
def test_areas_lie_in_parts_of_a_few_sizes(data: st.DataObject) -> None:
    frame = ScaledFrame(np.zeros((544, 960, 3), np.uint8), (0.5, 0.5))
    x, y = data.draw(st.integers(0, 1919)), data.draw(st.integers(0, 1079))
    area = (x, y, data.draw(st.integers(x + 1, 1920)), data.draw(st.integers(y + 1, 1080)))
    (part,) = frame.parts([area])
    assert (part[2] - part[0], part[3] - part[1]) in {
        (320, 192),
        (480, 288),
        (960, 288),
        (480, 544),
        (960, 544),
    }
    assert part[0] <= x / 2
    assert part[1] <= y / 2
    assert part[2] >= area[2] / 2
    assert part[3] >= area[3] / 2


def test_a_frame_is_searched_as_a_whole_if_its_parts_cost_as_much() -> None:
    frame = ScaledFrame(np.zeros((544, 960, 3), np.uint8), (0.5, 0.5))
    corners: list[Area] = [
        (0, 0, 800, 400),
        (1100, 0, 1900, 400),
        (0, 700, 800, 1080),
        (1100, 700, 1900, 1080),
    ]
    assert frame.parts(corners) == [frame.whole]
    assert len(frame.parts(corners[:2])) == 2
    assert frame.parts([*corners[:1], (10, 10, 50, 50)]) == frame.parts(corners[:1])
    assert frame.parts([]) == []


def test_patches_of_a_map_become_wider_lines() -> None:
    text_map = np.zeros((200, 320), np.float32)
    text_map[50:60, 40:140] = 0.9  # 100 x 10, and one more to the right and below; then 7.3 on each side
    text_map[100:110, 40:140] = 0.45  # too faint
    text_map[150:152, 40:140] = 0.9  # two rows are no line
    (line,) = lines_of_map(text_map)
    assert boxes([line]) == [[33, 43, 148, 68]]
    assert line.score == pytest.approx(0.9, abs=0.1)
    assert len(doubtful(text_map, [line])) == 2


def test_tall_lines_are_read_downwards() -> None:
    wide = in_reading_order(np.array([(10, 10), (90, 10), (90, 30), (10, 30)], np.float32))
    tall = in_reading_order(np.array([(10, 10), (30, 10), (30, 90), (10, 90)], np.float32))
    assert wide == ((10, 10), (90, 10), (90, 30), (10, 30))
    assert tall == ((30, 10), (30, 90), (10, 90), (10, 10))


def test_a_line_that_was_found_twice_is_one() -> None:
    assert boxes(joined([found(10, 10, 100, 30), found(12, 9, 102, 31), found(20, 12, 60, 28)])) == [
        [12, 9, 102, 31]
    ]


def test_the_ends_of_a_line_from_two_parts_are_one_line() -> None:
    assert boxes(joined([found(10, 10, 100, 30), found(95, 11, 200, 31)])) == [[10, 10, 200, 31]]
    lines = [found(10, 10, 100, 30), found(95, 11, 200, 31), found(195, 10, 300, 30)]
    assert joined(lines) == joined(lines[::-1])
    assert len(joined(lines)) == 1


@pytest.mark.parametrize(
    "other", [(10, 32, 100, 52), (130, 10, 230, 30), (95, 5, 200, 60), (104, 24, 200, 44)]
)
def test_other_lines_stay_lines(other: tuple[float, ...]) -> None:
    assert len(joined([found(10, 10, 100, 30), found(*other)])) == 2


def test_the_parts_of_a_second_look_have_one_size_and_are_few() -> None:
    patches: list[Area] = [(x, y, x + 40, y + 12) for x in range(0, 1900, 300) for y in range(0, 1000, 300)]
    parts = parts_to_look_at([patches], (1080, 1920))
    assert len(parts) == MOST_LOOKS
    assert {(right - left, bottom - top) for left, top, right, bottom in parts} == {(320, 192)}
    assert min(min(part) for part in parts) >= 0
    assert parts_to_look_at([patches[:1], patches[5:6]], (1080, 1920))[0] == (0, 0, 320, 192)


def test_neighbouring_patches_share_a_part_and_long_ones_are_cut() -> None:
    assert len(parts_to_look_at([[(500, 500, 540, 510), (560, 505, 600, 520)]], (1080, 1920))) == 1
    parts = parts_to_look_at([[(500, 500, 1100, 512)]], (1080, 1920))
    covered = set()
    for left, _, right, _ in parts:
        covered |= set(range(left, right))
    assert covered >= set(range(500, 1100))


def test_fine_print_is_looked_for_beside_large_lines_only() -> None:
    image = picture_of(
        (1920, 1080), Written("SALE", (700, 420), 120), Written("winter sweaters", (704, 600), 12)
    )
    large = found(690, 440, 1010, 560)
    patches = fine_print(image, [large], 0.5)
    assert patches
    assert all(top >= 590 and bottom <= 630 for _, top, _, bottom in patches)
    assert fine_print(image, [found(690, 540, 1010, 560)], 0.5) == []
    assert fine_print(picture_of((1920, 1080)), [large], 0.5) == []
