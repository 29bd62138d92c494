"""Rectangles around what changed, and the search in them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from video_worker.plugins.ocr.areas import area_around, merged, rectangles_of, with_margins
from video_worker.plugins.ocr.changes import Changes, SearchedPicture
from video_worker.plugins.ocr.engines import to_gray
from video_worker.plugins.ocr.places import KnownPlaces, Place
from video_worker.plugins.ocr.reading import Area, Line
from video_worker.plugins.ocr.search import Search
from video_worker.video.open_video import Image

from tests.support.bright_words import HEIGHT, WIDTH, BrightWords, picture

WHOLE: Area = (0, 0, WIDTH, HEIGHT)


def rectangles(*pixels: tuple[int, int], size: tuple[int, int] = (HEIGHT, WIDTH)) -> list[Area]:
    mask = np.zeros(size, np.uint8)
    for y, x in pixels:
        mask[y, x] = 255
    return rectangles_of(mask)


@pytest.mark.parametrize("size", [(HEIGHT, WIDTH), (541, 963), (37, 50), (5, 7)])
def test_every_changed_pixel_lies_in_a_rectangle(size: tuple[int, int]) -> None:
    random = np.random.default_rng(1)
    for count in (1, 2, 5, 40):
        pixels = [(int(random.integers(size[0])), int(random.integers(size[1]))) for _ in range(count)]
        areas = rectangles(*pixels, size=size)
        for y, x in pixels:
            assert any(x1 <= x < x2 and y1 <= y < y2 for x1, y1, x2, y2 in areas)
        assert all(0 <= x1 < x2 <= size[1] and 0 <= y1 < y2 <= size[0] for x1, y1, x2, y2 in areas)


def test_rectangles_are_close_around_what_changed() -> None:
    assert rectangles((100, 200), (103, 230)) == [(192, 96, 240, 112)]
    assert rectangles((100, 200), (100, 500)) == [(192, 96, 208, 112), (496, 96, 512, 112)]
    assert rectangles() == []


def test_there_are_only_a_few_rectangles_as_long_as_what_changed_can_be_joined() -> None:
    assert len(rectangles(*((100, x) for x in range(20, 900, 80)))) == 1
    assert len(rectangles(*((y, x) for y in (50, 450) for x in range(20, 900, 80)))) == 2


def test_areas_that_overlap_are_joined() -> None:
    areas = [(0, 0, 50, 50), (40, 40, 90, 60), (80, 55, 120, 70), (200, 0, 210, 10)]
    assert merged(areas, WHOLE) == [(0, 0, 120, 70), (200, 0, 210, 10)]
    assert merged([(0, 0, 10, 10), (10, 0, 20, 10)], WHOLE) == [(0, 0, 10, 10), (10, 0, 20, 10)]


def test_the_whole_frame_is_searched_if_areas_cover_much_of_it() -> None:
    third: Area = (0, 0, WIDTH, HEIGHT // 3)
    assert merged([third], WHOLE) == [third]
    assert merged([third, (0, HEIGHT - 20, WIDTH, HEIGHT)], WHOLE) == [WHOLE]
    assert with_margins([third], WHOLE) == [WHOLE]


def test_margins_end_at_the_frame() -> None:
    assert area_around([5.0, 5.0, 955.0, 25.0], WHOLE) == (0, 1, WIDTH, 30)
    ((x1, y1, x2, y2),) = with_margins([(0, 0, 32, 48)], WHOLE)
    assert (x1, y1) == (0, 0)
    assert x2 > 32
    assert y2 > 48


# --- changes -------------------------------------------------------------------------------------------


def test_only_what_is_searched_is_taken_into_the_memory() -> None:
    memory = SearchedPicture(in_areas=True)
    gray = np.full((HEIGHT, WIDTH), 90, np.uint8)
    assert memory.changes(gray) is not None
    # GIVEN a slow change of the frame, and a fast one in a corner
    for step, corner in ((4, 20), (8, 220)):
        slow = gray + np.uint8(step)
        slow[404:420, 804:820] = corner
        changes = memory.changes(slow)
        assert changes is not None
        assert changes.zones == [(800, 400, 832, 432)]
    # THEN the slow one adds up and is noticed elsewhere as well
    last = memory.changes(gray + np.uint8(18))
    assert last is not None
    assert last.zones == [WHOLE]


# --- the search ----------------------------------------------------------------------------------------


def search(reader: BrightWords, image: Image, *zones: Area, known: Sequence[Place] = ()) -> Search:
    changes = Changes(to_gray(image), zones, 10)
    made = Search(reader, image, changes)
    made.complete(KnownPlaces(known, changes))
    return made


def test_a_line_that_is_cut_off_is_searched_in_a_larger_area() -> None:
    image, reader = picture(((200, 300), "EXIT 12")), BrightWords()
    (line,) = search(reader, image, (230, 280, 240, 300)).lines
    assert [line.box] == [found.box for found in BrightWords().find(image, [WHOLE])]
    assert 1 < len(reader.searched) <= 3
    assert [WHOLE] not in reader.searched


def test_a_line_across_the_frame_is_searched_in_the_whole_frame_at_last() -> None:
    image, reader = picture(((5, 300), "EXIT " * 15)), BrightWords()
    (line,) = search(reader, image, (230, 280, 240, 300)).lines
    assert line.box[0] < 20
    assert line.box[2] > WIDTH - 60
    assert reader.searched[-1] == [WHOLE]


def test_a_line_that_is_cut_off_but_did_not_change_stays_as_it_is() -> None:
    image, reader = picture(((200, 300), "EXIT 12")), BrightWords()
    search(reader, image, (150, 290, 160, 300))
    assert len(reader.searched) == 1


class WholeLines(BrightWords):
    """Finds no line that reaches the border of its area: the rest of it does not look like text."""

    def find(self, image: Image, areas: Sequence[Area]) -> list[Line]:
        found = super().find(image, areas)
        return [one for one in found if any(_inside(one, area) for area in areas)]


def _inside(line: Line, area: Area) -> bool:
    x1, y1, x2, y2 = line.box
    return area[0] < x1 and area[1] < y1 and x2 < area[2] and y2 < area[3]


def test_a_place_that_is_gone_is_searched_as_a_whole_though_its_rest_looks_like_no_text() -> None:
    before, now = (picture(((200, 300), f"EXIT 1{digit} TO THE HARBOUR")) for digit in (2, 3))
    (line,) = BrightWords().find(before, [WHOLE])
    zone: Area = (230, 280, 240, 300)
    assert search(WholeLines(), now, zone).lines == []
    for image, count in ((now, 2), (before, 1)):  # nothing is searched again if it looks the same
        reader = WholeLines()
        made = search(reader, image, zone, known=[Place.of(line, to_gray(before))])
        assert len(reader.searched) == count
        assert len(made.lines) == count - 1


def test_a_part_of_a_known_line_that_looks_the_same_is_not_searched_again() -> None:
    image, reader = picture(((200, 300), "EXIT 12 TO THE HARBOUR")), BrightWords()
    (line,) = BrightWords().find(image, [WHOLE])
    search(reader, image, (230, 280, 240, 300), known=[Place.of(line, to_gray(image))])
    assert len(reader.searched) == 1
