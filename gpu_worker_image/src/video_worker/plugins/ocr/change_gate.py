"""Do not read text again if its pixels did not change.

A frame, and each place of text on it, is compared with how it looked when it was read, not with the frame
before, so that slow changes add up and are noticed. Differences are averaged over small cells first, which
removes the noise of a sensor. A place counts as unchanged if no cell differs by more than `CELL_THRESHOLD`.
Compression leaves more noise beside an edge, the stronger the edge is; there, a cell may differ by up to
`EDGE_SHARE` of the contrast. Measured on all pairs of letters and digits that are 9 pixels high, in three
fonts: the most similar pair (I and l) differs by 8.03 % of its contrast, the next (i and l) by 9.6 %, and
the noise of H.264 at 1080p is at most 6.7 %. The limit of the method: if text is that small and fainter
than 125 grey levels, the smallest of these changes are not noticed until something else changes there.

What to read is decided in the order of the frames, even if several threads work on them, and each part of
a run starts with an empty memory. Therefore the results depend neither on threads nor on resuming.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from video_worker.plugins.ocr.engines import GrayImage
from video_worker.plugins.ocr.regions import iou
from video_worker.turns import Turns

CELL_PX = 4
CELL_THRESHOLD = 10
"""Grey levels of 255."""
EDGE_SHARE = 0.08
"""Of the contrast within `EDGE_PX`, in the frame where it is weaker: text that appears had no edge before."""
EDGE_PX = 9
EDGE_NOISE_CELLS = 0.01
"""If more than this share of a picture differs, it is not the noise of edges."""

SAME_PLACE_IOU = 0.7
SIDE_MARGIN, UPPER_MARGIN = 1.0, 0.2
"""Around a place, in shares of its height, so that a letter that is added at an end is noticed."""

Words = list[dict[str, Any]]
Box = list[float]
"""x1, y1, x2, y2 in pixels of the frame."""


def has_changed(before: GrayImage, after: GrayImage) -> bool:
    """Whether two images of the same size differ so much that their text may differ."""
    difference = cv2.absdiff(before, after)
    if int(difference.max(initial=0)) <= CELL_THRESHOLD:
        return False
    averaged = cv2.blur(difference, (CELL_PX, CELL_PX))
    most = int(averaged.max(initial=0))
    if most <= CELL_THRESHOLD or most > EDGE_SHARE * 255:
        return most > CELL_THRESHOLD
    cells = np.flatnonzero(averaged > CELL_THRESHOLD)
    if len(cells) > EDGE_NOISE_CELLS * averaged.size:
        return True
    contrast = np.minimum(_contrast(before, cells), _contrast(after, cells))
    return bool((averaged.ravel()[cells] > EDGE_SHARE * contrast).any())


def _contrast(gray: GrayImage, cells: NDArray[np.intp]) -> NDArray[np.int16]:
    """The brightest minus the darkest pixel around each of some pixels (flat indices), in grey levels."""
    reach = np.arange(-(EDGE_PX // 2), EDGE_PX // 2 + 1)
    rows, columns = (
        np.clip(pixels[:, None] + reach, 0, size - 1)
        for pixels, size in zip(np.unravel_index(cells, gray.shape), gray.shape, strict=True)
    )
    around = gray[rows[:, :, None], columns[:, None, :]].astype(np.int16)
    return np.asarray(np.ptp(around, axis=(1, 2)))


@dataclass(frozen=True, slots=True)
class _Frame:
    """A frame that was read, or is being read."""

    gray: GrayImage
    words: Future[Words]


@dataclass(frozen=True, slots=True)
class _Place:
    """A place of text, with its margin, as it looked when it was read."""

    box: Box
    left: int
    top: int
    pixels: GrayImage
    words: Future[Words]

    def looks_the_same(self, gray: GrayImage) -> bool:
        height, width = self.pixels.shape
        return not has_changed(self.pixels, gray[self.top : self.top + height, self.left : self.left + width])


class Look(NamedTuple):
    """What the first look at a frame finds: words that it read already, and places still to be read."""

    words: Words
    boxes: list[Box]


class ChangeGate:
    """The memory of one part: the last frame that was read, and the places of text on the last frame.

    It does not grow with the number of frames."""

    def __init__(self) -> None:
        self._frame_turns, self._place_turns = Turns(), Turns()
        self._frame: _Frame | None = None
        self._places: list[_Place] = []

    def abort(self) -> None:
        """A frame failed, so that no other frame may wait for it."""
        self._frame_turns.abort()
        self._place_turns.abort()

    def words_of_frame(
        self, position: int, gray: GrayImage, look: Callable[[], Look], read: Callable[[Box], Words]
    ) -> Words:
        """The words of a frame; those of the last frame that was read, if nothing has changed since.

        Parameters
        ----------
        position
            The frame's place in the part, from 0.
        look
            Finds the places of text on the frame.
        read
            Reads one place.
        """
        with self._frame_turns.turn(position):
            known = self._frame
            is_new = known is None or has_changed(known.gray, gray)
            if known is None or is_new:
                known = self._frame = _Frame(gray, Future())
        if not is_new:
            with self._place_turns.turn(position):
                pass  # the places stay as they are
            return known.words.result()
        return _kept(known.words, lambda: self._read_frame(position, gray, look(), read))

    def _read_frame(self, position: int, gray: GrayImage, seen: Look, read: Callable[[Box], Words]) -> Words:
        return seen.words + numbered(self.words_of_places(position, gray, seen.boxes, read))

    def words_of_places(
        self, position: int, gray: GrayImage, boxes: list[Box], read: Callable[[Box], Words]
    ) -> list[Words]:
        """The words of each place; those that were read before, if it looks the same as then."""
        with self._place_turns.turn(position):
            before, self._places, new = self._places, [], []
            for box in boxes:
                place = _same_place(before, box, gray)
                if place is None:
                    place = _place_of(box, gray)
                    new.append(place)
                self._places.append(place)
            places = self._places
        for place in new:
            _kept(place.words, lambda: read(place.box))  # noqa: B023 - called at once
        return [place.words.result() for place in places]


class OpenGate(ChangeGate):
    """A gate without memory: everything is read."""

    def words_of_frame(
        self, position: int, gray: GrayImage, look: Callable[[], Look], read: Callable[[Box], Words]
    ) -> Words:
        """Read the frame."""
        return self._read_frame(position, gray, look(), read)

    def words_of_places(
        self, position: int, gray: GrayImage, boxes: list[Box], read: Callable[[Box], Words]
    ) -> list[Words]:
        """Read each place."""
        return [read(box) for box in boxes]


def numbered(places: list[Words], name: str = "block_num") -> Words:
    """The words of all places, each with the number of its place, from 1."""
    return [word | {name: number} for number, words in enumerate(places, start=1) for word in words]


def _same_place(places: list[_Place], box: Box, gray: GrayImage) -> _Place | None:
    near = (place for place in places if iou(place.box, box) >= SAME_PLACE_IOU)
    return next((place for place in near if place.looks_the_same(gray)), None)


def _place_of(box: Box, gray: GrayImage) -> _Place:
    x1, y1, x2, y2 = box
    height = y2 - y1
    left, top = max(0, int(x1 - SIDE_MARGIN * height)), max(0, int(y1 - UPPER_MARGIN * height))
    right, bottom = int(x2 + SIDE_MARGIN * height) + 1, int(y2 + UPPER_MARGIN * height) + 1
    return _Place(box, left, top, np.array(gray[top:bottom, left:right]), Future())


def _kept(words: Future[Words], read: Callable[[], Words]) -> Words:
    """Read, and give the words, or the error, to all that wait for them."""
    try:
        words.set_result(read())
    except BaseException as error:
        words.set_exception(error)
        raise
    return words.result()
