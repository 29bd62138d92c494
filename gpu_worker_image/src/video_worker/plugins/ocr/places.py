"""Places of text: how each looked when it was read, and which of them a frame still has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np

from video_worker.plugins.ocr.areas import area_around, lies_in
from video_worker.plugins.ocr.changes import Changes
from video_worker.plugins.ocr.differences import LEAST_THRESHOLD, has_changed
from video_worker.plugins.ocr.engines import GrayImage
from video_worker.plugins.ocr.reading import Area, Box, Line, Words
from video_worker.plugins.ocr.rectangles import iou, shared, size_of

SAME_PLACE_IOU = 0.7
_COVERED_SHARE = 0.5
"""Of the smaller one of two lines; if more is common to both, they are readings of the same text."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A line or region, with its margin, as it looked when it was first seen, and its words."""

    line: Line
    area: Area
    pixels: GrayImage
    words: Future[Words] = field(default_factory=Future)

    @classmethod
    def of(cls, line: Line, gray: GrayImage) -> Place:
        """A line on a frame; its words are still to be read, unless the search read them."""
        height, width = gray.shape
        x1, y1, x2, y2 = area = area_around(line.box, (0, 0, width, height))
        place = cls(line, area, np.array(gray[y1:y2, x1:x2]))
        if line.words is not None:
            place.words.set_result(line.words)
        return place

    @property
    def box(self) -> Box:
        """Without the margin."""
        return self.line.box

    def looks_the_same(self, gray: GrayImage, threshold: int = LEAST_THRESHOLD) -> bool:
        """Whether a frame shows there what was read."""
        x1, y1, x2, y2 = self.area
        return not has_changed(self.pixels, gray[y1:y2, x1:x2], threshold)


def place_at(places: Iterable[Place], box: Box) -> Place | None:
    """The first place that has nearly the same box."""
    return next((place for place in places if iou(place.box, box) >= SAME_PLACE_IOU), None)


class KnownPlaces:
    """The places of the frame before: which of them look the same, and which are gone."""

    def __init__(self, before: Sequence[Place], changes: Changes) -> None:
        self._changes = changes
        is_same = [
            not changes.touch(place.area) or place.looks_the_same(changes.gray, changes.threshold)
            for place in before
        ]
        self._same = [place for place, same in zip(before, is_same, strict=True) if same]
        self._gone = [place for place, same in zip(before, is_same, strict=True) if not same]

    @property
    def gone(self) -> list[Place]:
        """The places that look different now."""
        return self._gone

    def unexplained(self, found: Sequence[Line]) -> list[Line]:
        """The lines that changed and are no part of a place that looks the same."""
        return [line for line in found if self._has_changed(line) and not self._is_known(line)]

    def _is_known(self, line: Line) -> bool:
        box = area_around(line.box, self._changes.whole, margins=0)
        is_part = lies_in(box, (place.area for place in self._same))
        return is_part or self._found_again(line) is not None

    def _found_again(self, line: Line) -> Place | None:
        """The place that looks the same and is this line."""
        place = place_at(self._same, line.box)
        return None if place is None or self._goes_beyond(line, place) else place

    def with_new(self, found: Sequence[Line]) -> tuple[list[Place], list[Place]]:
        """The places of this frame, and those of them that are new.

        A line that was found is new if something changed there, or if it overlaps a place that is gone. If it
        overlaps a place that looks the same, it is new only if something changed beyond that place, as when a
        word was added; then it replaces the place. The lines of a page replace everything.
        """
        is_page = any(line.words is not None for line in found)
        lines, kept = (list(found), []) if is_page else self._new_lines(found)
        new = [Place.of(line, self._changes.gray) for line in lines]
        return [*kept, *new], new

    def _new_lines(self, found: Sequence[Line]) -> tuple[list[Line], list[Place]]:
        """The new lines, and the places that they leave."""
        found_again = [self._found_again(line) for line in found]
        safe = {id(place) for place in found_again}
        new: list[Line] = []
        replaced: set[int] = set()
        for line, again in zip(found, found_again, strict=True):
            rivals = [place for place in self._same if _is_same_text(line.box, place.box)]
            if again is None and self._concerns(line) and all(self._goes_beyond(line, one) for one in rivals):
                new.append(line)
                replaced |= {id(place) for place in rivals} - safe
        return new, [place for place in self._same if id(place) not in replaced]

    def _concerns(self, line: Line) -> bool:
        return self._has_changed(line) or any(_is_same_text(line.box, place.box) for place in self._gone)

    def _has_changed(self, line: Line) -> bool:
        return self._changes.touch(area_around(line.box, self._changes.whole))

    def _goes_beyond(self, line: Line, place: Place) -> bool:
        return self._changes.touch_beyond(area_around(line.box, self._changes.whole, margins=0), place.area)


def read_once(places: Sequence[Place], read: Callable[[list[Line]], list[Words]]) -> None:
    """Read places together, and give the words, or the error, to all that wait for them."""
    waiting = [place for place in places if not place.words.done()]
    if not waiting:
        return
    try:
        for place, words in zip(waiting, read([place.line for place in waiting]), strict=True):
            place.words.set_result(words)
    except BaseException as error:
        for place in waiting:
            if not place.words.done():
                place.words.set_exception(error)
        raise


def _is_same_text(one: Box, other: Box) -> bool:
    return shared(one, other) > _COVERED_SHARE * min(size_of(one), size_of(other))
