"""Which places of text a frame still has, and which lines are new."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from video_worker.plugins.ocr.changes import Changes
from video_worker.plugins.ocr.differences import LEAST_THRESHOLD
from video_worker.plugins.ocr.engines import GrayImage
from video_worker.plugins.ocr.places import KnownPlaces, Place, read_once
from video_worker.plugins.ocr.reading import Area, Box, Line, Words

LINE: Box = [100.0, 100.0, 300.0, 120.0]
BEFORE_IT: Area = (82, 98, 96, 115)
IN_IT: Area = (150, 100, 170, 120)
BEYOND_IT: Area = (340, 100, 380, 120)
ELSEWHERE: Area = (500, 300, 540, 340)


def written(box: Box = LINE) -> GrayImage:
    image = np.full((400, 640), 90, np.uint8)
    x1, _, _, y2 = (int(value) for value in box)
    cv2.putText(image, "EXIT 12 NORTH", (x1, y2), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 230, 2, cv2.LINE_AA)
    return image


def with_box(image: GrayImage, area: Area) -> GrayImage:
    x1, y1, x2, y2 = area
    changed = image.copy()
    changed[y1:y2, x1:x2] = 20
    return changed


def known_places(now: GrayImage, *zones: Area) -> tuple[Place, KnownPlaces]:
    """A line that was read before, and what is known of it on a frame with changes in some zones."""
    place = Place.of(Line.upright(LINE), written())
    return place, KnownPlaces([place], Changes(now, zones, LEAST_THRESHOLD))


def found(*boxes: Box) -> list[Line]:
    return [Line.upright(box) for box in boxes]


def test_a_line_that_looks_the_same_is_kept_whether_it_was_found_again_or_not() -> None:
    place, known = known_places(with_box(written(), ELSEWHERE), ELSEWHERE, IN_IT)
    moved = [value + 1 for value in LINE]
    for lines in ([], found(LINE), found(moved)):
        assert known.with_new(lines) == ([place], [])


def test_a_line_that_looks_different_is_gone_and_what_is_found_there_is_new() -> None:
    _, known = known_places(with_box(written(), IN_IT), IN_IT)
    assert known.with_new([]) == ([], [])
    places, new = known.with_new(found(LINE))
    assert places == new
    assert [place.box for place in new] == [LINE]


def test_what_is_found_where_a_line_is_gone_is_new_even_if_it_lies_beside_the_change() -> None:
    _, known = known_places(with_box(written(), BEFORE_IT), BEFORE_IT)
    inner: Box = [150.0, 100.0, 290.0, 120.0]
    places, _ = known.with_new(found(inner))
    assert [place.box for place in places] == [inner]


def test_a_line_where_nothing_changed_is_not_new() -> None:
    place, known = known_places(with_box(written(), ELSEWHERE), ELSEWHERE)
    assert known.with_new(found([100.0, 200.0, 300.0, 220.0])) == ([place], [])


def test_a_part_of_a_line_that_looks_the_same_is_not_new() -> None:
    place, known = known_places(written(), IN_IT)
    assert known.with_new(found([100.0, 100.0, 190.0, 120.0])) == ([place], [])


@pytest.mark.parametrize("end", [350.0, 400.0])
def test_a_line_that_became_longer_replaces_the_known_one(end: float) -> None:
    _, known = known_places(with_box(written(), BEYOND_IT), BEYOND_IT)
    longer: Box = [100.0, 100.0, end, 120.0]
    places, new = known.with_new(found(longer))
    assert places == new
    assert [place.box for place in places] == [longer]


def test_a_known_line_that_was_found_again_is_not_replaced() -> None:
    place, known = known_places(with_box(written(), BEYOND_IT), BEYOND_IT)
    longer: Box = [100.0, 100.0, 400.0, 120.0]
    places, new = known.with_new(found(LINE, longer))
    assert places == [place, *new]
    assert [one.box for one in new] == [longer]


def test_the_lines_of_a_page_replace_everything() -> None:
    _, known = known_places(with_box(written(), ELSEWHERE), ELSEWHERE)
    words: Words = [{"text": "EXIT"}]
    places, new = known.with_new([Line.upright(LINE, words=words)])
    assert places == new
    assert [place.words.result() for place in places] == [words]


def test_only_lines_that_changed_and_are_no_part_of_a_known_one_are_unexplained() -> None:
    _, known = known_places(with_box(written(), BEYOND_IT), BEYOND_IT, IN_IT)
    longer: Box = [100.0, 100.0, 350.0, 120.0]
    unchanged: Box = [100.0, 300.0, 150.0, 320.0]
    part: Box = [160.0, 101.0, 300.0, 120.0]
    assert [line.box for line in known.unexplained(found(LINE, part, unchanged, longer))] == [longer]
    assert known.gone == []


def test_a_part_of_a_line_that_looks_different_is_unexplained() -> None:
    place, known = known_places(with_box(written(), IN_IT), IN_IT)
    part: Box = [160.0, 101.0, 300.0, 120.0]
    assert [line.box for line in known.unexplained(found(part))] == [part]
    assert known.gone == [place]


def test_words_are_read_together_once_and_an_error_reaches_every_place() -> None:
    places = [
        Place.of(line, written())
        for line in [*found(LINE, [0.0, 0.0, 9.0, 9.0]), Line.upright(LINE, words=[])]
    ]
    calls = []

    def read(lines: list[Line]) -> list[Words]:
        calls.append([line.box for line in lines])
        raise KeyError("unreadable")

    with pytest.raises(KeyError):
        read_once(places, read)
    read_once(places, read)
    assert calls == [[LINE, [0.0, 0.0, 9.0, 9.0]]]
    assert [type(place.words.exception()) for place in places] == [KeyError, KeyError, type(None)]
