"""Neither search nor read text again where the pixels did not change.

A frame is compared with the picture as it was last searched (`differences`, `changes`). Lines of text are
searched only where it changed (`areas`, `search`), and only those lines are read that are new or look
different than when they were read (`places`).

What to search and what to read is decided in the order of the frames, even if several threads work on them,
and from nothing but pixels and the decisions before. Each part of a run starts with an empty memory.
Therefore the results depend neither on threads nor on resuming.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Protocol

from video_worker.plugins.ocr.changes import Changes, SearchedPicture
from video_worker.plugins.ocr.engines import to_gray
from video_worker.plugins.ocr.places import KnownPlaces, Place, place_at, read_once
from video_worker.plugins.ocr.reading import Box, Line, TextReader, Words
from video_worker.plugins.ocr.search import Search
from video_worker.turns import Turns
from video_worker.video.open_video import Image


class Gate(Protocol):
    """Reads frames, or regions of frames, of one part."""

    def lines_of_frame(self, position: int, image: Image) -> list[Words]:
        """The words of each line on a frame; ``position`` is the frame's place in the part, from 0."""
        ...

    def words_of_regions(self, position: int, image: Image, boxes: Sequence[Box]) -> list[Words]:
        """The words in and around each box."""
        ...

    def abort(self) -> None:
        """A frame failed, so that no other frame may wait for it."""
        ...


class ChangeGate:
    """A gate that remembers the picture as it was searched, and the places of text on the last frame.

    Its memory does not grow with the number of frames.
    """

    def __init__(self, reader: TextReader) -> None:
        self._reader = reader
        self._picture_turns, self._place_turns = Turns(), Turns()
        self._picture = SearchedPicture(in_areas=reader.finds_in_areas)
        self._lines: Future[list[Words]] = Future()
        self._places: list[Place] = []

    def abort(self) -> None:
        """End all waiting."""
        self._picture_turns.abort()
        self._place_turns.abort()

    def lines_of_frame(self, position: int, image: Image) -> list[Words]:
        """The words of each line; those of the frame before, if nothing has changed."""
        gray = to_gray(image)
        with self._picture_turns.turn(position):
            changes = self._picture.changes(gray)
            if changes is not None:
                self._lines = Future()
            lines = self._lines
        if changes is not None:
            return _kept(lines, lambda: self._read_frame(position, image, changes))
        with self._place_turns.turn(position):
            pass  # the places stay as they are
        return lines.result()

    def _read_frame(self, position: int, image: Image, changes: Changes) -> list[Words]:
        search = Search(self._reader, image, changes)
        with self._place_turns.turn(position):
            known = KnownPlaces(self._places, changes)
            search.complete(known)
            self._places, new = known.with_new(search.lines)
            places = self._places
        read_once(new, lambda lines: self._reader.read(image, lines))
        return [words for place in places if (words := place.words.result())]

    def words_of_regions(self, position: int, image: Image, boxes: Sequence[Box]) -> list[Words]:
        """The words of each region; those that were read before, if it looks the same as then."""
        gray = to_gray(image)
        with self._place_turns.turn(position):
            same = [place for place in self._places if place.looks_the_same(gray)]
            known = [place_at(same, box) for box in boxes]
            new = [
                Place.of(Line.upright(box), gray)
                for box, one in zip(boxes, known, strict=True)
                if one is None
            ]
            made = iter(new)
            places = self._places = [one or next(made) for one in known]
        read_once(new, lambda lines: self._reader.read_regions(image, [line.box for line in lines]))
        return [place.words.result() for place in places]


class OpenGate:
    """A gate without memory: everything is searched and read."""

    def __init__(self, reader: TextReader) -> None:
        self._reader = reader

    def abort(self) -> None:
        """Nobody waits."""

    def lines_of_frame(self, position: int, image: Image) -> list[Words]:
        """Search and read the frame."""
        height, width = image.shape[:2]
        lines = self._reader.find(image, [(0, 0, width, height)])
        unread = [line for line in lines if line.words is None]
        read = iter(self._reader.read(image, unread) if unread else [])
        words = [next(read) if line.words is None else line.words for line in lines]
        return [one for one in words if one]

    def words_of_regions(self, position: int, image: Image, boxes: Sequence[Box]) -> list[Words]:
        """Read each region."""
        return self._reader.read_regions(image, boxes) if boxes else []


def _kept(lines: Future[list[Words]], read: Callable[[], list[Words]]) -> list[Words]:
    """Read, and give the lines, or the error, to all that wait for them."""
    try:
        lines.set_result(read())
    except BaseException as error:
        lines.set_exception(error)
        raise
    return lines.result()
