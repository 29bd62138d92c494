"""The words of a line, from what the recognition model saw in each column."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from video_worker.plugins.ocr.ppocr.ctc import Character, decode
from video_worker.plugins.ocr.ppocr.ink import changes_of, letters_inside
from video_worker.plugins.ocr.ppocr.recognition import HEIGHT_PX, STEP_PX, Reading, cut_out
from video_worker.plugins.ocr.ppocr.scripts import is_latin, scripts_of
from video_worker.plugins.ocr.ppocr.words import words_of
from video_worker.plugins.ocr.reading import Corners, Line
from video_worker.video.open_video import Image

FRAME = (720, 1280)


def seen(text: str, probability: float = 0.99, every: int = 2) -> list[Character]:
    return [Character(one, probability, every * place, every * place) for place, one in enumerate(text)]


def reading(characters: list[Character], corners: Corners | None = None, columns: int = 400) -> Reading:
    upright = Line.upright([100.0, 50.0, 100.0 + columns, 50.0 + HEIGHT_PX]).corners
    return Reading(corners or upright, characters, np.zeros((HEIGHT_PX, columns, 3), np.uint8))


def test_equal_neighbours_are_one_character_unless_a_gap_lies_between() -> None:
    best = [0, 1, 1, 0, 1, 2, 2, 2, 0]
    output = np.full((len(best), 3), 0.1, np.float32)
    output[range(len(best)), best] = [0.8, 0.7, 0.9, 0.8, 0.6, 0.8, 0.95, 0.8, 0.8]
    assert [
        (one.text, round(one.probability, 2), one.first, one.last) for one in decode(output, ["", "a", "b"])
    ] == [
        ("a", 0.9, 1, 2),
        ("a", 0.6, 4, 4),
        ("b", 0.95, 5, 7),
    ]
    assert decode(output[:1], ["", "a", "b"]) == []


def test_a_line_is_split_at_its_spaces() -> None:
    words = words_of(reading(seen("one way 12:45")), FRAME, 65)
    assert [word["text"] for word in words] == ["one", "way", "12:45"]
    ends = [(word["bbox"]["x"], word["bbox"]["x"] + word["bbox"]["width"]) for word in words]
    assert all(one[1] <= other[0] for one, other in pairwise(ends))


def test_the_confidence_is_the_mean_of_its_characters() -> None:
    characters = [Character("a", 0.9, 0, 0), Character("b", 0.8, 2, 2), Character("c", 0.95, 4, 4)]
    assert [word["confidence"] for word in words_of(reading(characters), FRAME, 65)] == [88.33]


@pytest.mark.parametrize(
    ("text", "probability", "is_a_word"),
    [
        ("gate", 0.66, True),
        ("gate", 0.64, False),
        ("way", 0.79, False),
        ("way", 0.81, True),
        ("A7", 0.89, False),
        ("A7", 0.91, True),
        ("--- ...", 0.99, False),
        ("€5", 0.98, True),
    ],
)
def test_short_words_need_more_confidence(text: str, probability: float, is_a_word: bool) -> None:
    corners = Line.upright([0.0, 0.0, 60.0, 40.0]).corners
    assert bool(words_of(reading(seen(text, probability), corners), FRAME, 65)) is is_a_word


@pytest.mark.parametrize(
    ("text", "width", "is_a_word"), [("X", 40, True), ("X", 64, False), ("X1", 90, False)]
)
def test_a_long_line_of_one_letter_is_a_texture(text: str, width: float, is_a_word: bool) -> None:
    corners = Line.upright([0.0, 0.0, width, 40.0]).corners
    assert bool(words_of(reading(seen(text), corners), FRAME, 65)) is is_a_word


def test_texts_are_composed() -> None:
    words = words_of(reading(seen("Zu\u0308rich")), FRAME, 65)
    assert [word["text"] for word in words] == ["Z\u00fcrich"]


def test_boxes_stay_inside_the_frame() -> None:
    corners = Line.upright([-30.0, -20.0, 1400.0, 30.0]).corners
    for word in words_of(reading(seen("one way street", every=4), corners), FRAME, 65):
        box = word["bbox"]
        assert min(box["x"], box["y"]) >= 0
        assert min(box["width"], box["height"]) >= 1
        assert box["x"] + box["width"] <= FRAME[1]
        assert box["y"] + box["height"] <= FRAME[0]


def test_the_box_of_a_rotated_word_surrounds_it() -> None:
    """The line runs downwards at 45 degrees, its letters fill it."""
    corners = ((200.0, 100.0), (400.0, 300.0), (372.0, 328.0), (172.0, 128.0))
    (word,) = words_of(reading(seen("harbour", every=7), corners), FRAME, 65)
    box = word["bbox"]
    assert box["width"] == pytest.approx(228, abs=30)
    assert box["height"] == pytest.approx(228, abs=30)


def stroked(first: int, last: int, top: int, bottom: int) -> Image:
    line = np.full((HEIGHT_PX, 200, 3), 200, np.uint8)
    line[5] = line[43] = 20  # the frame of a sign
    for column in range(first, last, 8):
        line[top:bottom, column : column + 4] = (200, 200, 30)  # told from the paper by one colour only
    return line


def test_the_extent_of_a_word_is_that_of_its_strokes() -> None:
    extent = letters_inside(changes_of(stroked(60, 140, 14, 36)), 50, 150)
    assert (round(extent.left * 200), round(extent.right * 200)) == (60, 136)
    assert (round(extent.top * HEIGHT_PX), round(extent.bottom * HEIGHT_PX)) == pytest.approx((14, 36), abs=1)


def test_an_extent_without_strokes_is_what_the_model_saw() -> None:
    extent = letters_inside(changes_of(np.full((HEIGHT_PX, 200, 3), 90, np.uint8)), 50, 150)
    assert extent.left == pytest.approx(0.25)
    assert extent.right == pytest.approx(0.75, abs=0.01)


def test_a_line_is_cut_out_upright_at_one_height() -> None:
    frame = np.zeros((200, 300, 3), np.uint8)
    frame[40:140, 60:100] = (0, 0, 255)  # the left third of a line that is read downwards
    frame[20:60, 60:100] = (255, 0, 0)
    corners = ((100.0, 20.0), (100.0, 140.0), (60.0, 140.0), (60.0, 20.0))
    line = cut_out(frame, corners)
    assert line.shape == (HEIGHT_PX, 3 * HEIGHT_PX, 3)
    assert line[24, 10].tolist() == [255, 0, 0]
    assert line[24, 130].tolist() == [0, 0, 255]


@pytest.mark.parametrize("box", [[0, 0, 0, 0], [-80, -40, -10, -5], [0, 0, 5000, 4], [0, 0, 3, 700]])
def test_any_line_can_be_cut_out(box: list[float]) -> None:
    line = cut_out(np.zeros((720, 1280, 3), np.uint8), Line.upright(box).corners)
    assert line.shape[0] == HEIGHT_PX
    assert STEP_PX <= line.shape[1] <= 2048
    assert math.prod(line.shape) == line.size


def test_latin_letters_digits_and_signs_are_wanted() -> None:
    assert all(is_latin(character) for character in "azAZ09 .,:;!?%&€-\u2013\u2019\u201céßøłőşñẠ")
    assert not any(is_latin(character) for character in ["中", "あ", "ア", "Ω", "Ж", "\uff0c", "♥", "→", ""])


def test_scripts_are_named_by_iso_15924() -> None:
    letters = [chr(number) for start in (0x41, 0x4E00, 0x0391, 0x0410) for number in range(start, start + 24)]
    assert scripts_of([*letters, "ア", "1", ""]) == ["Latn", "Cyrl", "Hani", "Grek"]
