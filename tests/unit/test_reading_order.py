"""The order in which lines are read, and their numbers."""

from __future__ import annotations

import random

import pytest
from video_worker.plugins.ocr.plugin import text_result
from video_worker.plugins.ocr.reading import Words
from video_worker.plugins.ocr.reading_order import in_reading_order


def line(text: str, x: int, y: int, height: int = 20, letter_px: int = 10) -> Words:
    """Words of letters that are all of one width; ``y`` is the line's upper end."""
    words: Words = []
    for word in text.split():
        width = letter_px * len(word)
        box = {"x": x, "y": y, "width": width, "height": height}
        words.append({"text": word, "confidence": 90.0, "bbox": box, "level": 5})
        x += width + letter_px
    return words


def numbers(lines: list[Words]) -> list[tuple[str, int, int]]:
    return [
        (" ".join(word["text"] for word in words), words[0]["block_num"], words[0]["line_num"])
        for words in lines
    ]


ONE_SIGN = [("EXIT 12", 100, 100), ("HARBOUR STREET", 90, 130), ("NORTH", 110, 165)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        # lines close below each other are a block
        (ONE_SIGN, [("EXIT 12", 1, 1), ("HARBOUR STREET", 1, 2), ("NORTH", 1, 3)]),
        # those that are far apart are not
        ([("EXIT", 100, 100), ("NORTH", 100, 150)], [("EXIT", 1, 1), ("NORTH", 2, 1)]),
        # a row is read from left to right, even if it is not quite level
        ([("RIGHT", 300, 95), ("LEFT", 100, 100)], [("LEFT", 1, 1), ("RIGHT", 2, 1)]),
        # each of two columns is read as a whole
        (
            [("ONE", 100, 100), ("TWO", 100, 130), ("THREE", 400, 100), ("FOUR", 400, 130)],
            [("ONE", 1, 1), ("TWO", 1, 2), ("THREE", 2, 1), ("FOUR", 2, 2)],
        ),
        # lines that are not above each other are no block
        ([("LEFT", 100, 100), ("RIGHT", 160, 125)], [("LEFT", 1, 1), ("RIGHT", 2, 1)]),
        ([], []),
    ],
)
def test_lines_are_ordered_and_numbered(
    given: list[tuple[str, int, int]], expected: list[tuple[str, int, int]]
) -> None:
    lines = [line(*one) for one in given]
    for seed in range(5):
        random.Random(seed).shuffle(lines)
        assert numbers(in_reading_order(lines)) == expected


def test_a_heading_is_no_line_of_the_small_print_below_it() -> None:
    lines = [line("MENU", 100, 100, height=60, letter_px=40), line("soup of the day", 100, 170, height=20)]
    assert numbers(in_reading_order(lines)) == [("MENU", 1, 1), ("soup of the day", 2, 1)]


def test_the_numbers_of_a_page_are_kept_unless_a_line_was_read_by_itself() -> None:
    page = [[word | {"block_num": 4, "line_num": 2} for word in line("EXIT", 100, 300)]]
    page += [[word | {"block_num": 2, "line_num": 1} for word in line("NORTH", 100, 100)]]
    assert numbers(in_reading_order(page)) == [("EXIT", 4, 2), ("NORTH", 2, 1)]
    mixed = [*page, line("MARKET", 100, 200)]
    assert numbers(in_reading_order(mixed)) == [("NORTH", 1, 1), ("MARKET", 2, 1), ("EXIT", 3, 1)]


def test_the_text_has_a_line_for_each_line_and_is_composed() -> None:
    lines = in_reading_order([line("STRASSE 12", 100, 100), line("Cafe\u0301", 100, 400)])
    result = text_result(lines, "eng")
    assert result["text"] == "STRASSE 12\nCaf\u00e9"
    assert [block["text"] for block in result["blocks"]] == ["STRASSE", "12", "Caf\u00e9"]
    assert result["confidence"] == pytest.approx(0.9)


def test_paragraphs_of_a_block_are_not_mixed() -> None:
    """Tesseract numbers the lines of each paragraph from 1."""
    page = [
        [word | {"block_num": 1, "line_num": 1} for word in line(text, 100, y)]
        for text, y in (("ONE", 9), ("TWO", 90))
    ]
    assert text_result(in_reading_order(page), "eng")["text"] == "ONE\nTWO"
