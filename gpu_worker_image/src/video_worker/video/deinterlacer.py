"""Deinterlace pictures with FFmpeg's bwdif, one picture for each."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
from av.filter import Graph
from av.video.frame import VideoFrame

FILTER = "bwdif"
_ANY_TIME_BASE = Fraction(1, 90_000)
_OPTIONS = "mode=send_frame:parity=auto:deint=interlaced"


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded picture, with its place in the order of display."""

    index: int
    frame: VideoFrame


def deinterlaced(pictures: Iterable[Decoded]) -> Iterator[Decoded]:
    """The same pictures; each that is interlaced is deinterlaced with the help of its two neighbours.

    Neighbours are pictures with adjacent indexes and the same form. What a picture becomes therefore depends
    on these three alone, wherever reading starts, if it starts one picture before the first that is wanted.
    """
    run: _Run | None = None
    before: Decoded | None = None
    for picture in pictures:
        if run is not None and not run.continues_with(picture):
            yield from run.end()
            run = None
        if run is None and picture.frame.interlaced_frame:
            run = _Run(picture.frame)
            if before is not None and _are_neighbours(before, picture):
                run.feed_known(before)
        if run is None:
            yield picture
        else:
            yield from run.feed(picture)
        before = picture
    if run is not None:
        yield from run.end()


def _are_neighbours(one: Decoded, other: Decoded) -> bool:
    return one.index + 1 == other.index and _form(one.frame) == _form(other.frame)


def _form(frame: VideoFrame) -> tuple[int, int, str]:
    return frame.width, frame.height, frame.format.name


class _Run:
    """A filter graph over pictures without a gap."""

    def __init__(self, frame: VideoFrame) -> None:
        self._graph = Graph()
        source = self._graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=_ANY_TIME_BASE
        )
        bwdif, sink = self._graph.add(FILTER, _OPTIONS), self._graph.add("buffersink")
        source.link_to(bwdif)
        bwdif.link_to(sink)
        self._graph.configure()
        self._indexes: deque[int] = deque()
        self._known: int | None = None
        self._last: Decoded | None = None

    def continues_with(self, picture: Decoded) -> bool:
        return self._last is not None and _are_neighbours(self._last, picture)

    def feed_known(self, picture: Decoded) -> None:
        """Give the filter a neighbour that was handed on before."""
        self._known = picture.index
        list(self.feed(picture))

    def feed(self, picture: Decoded) -> Iterator[Decoded]:
        self._last = picture
        self._indexes.append(picture.index)
        self._graph.push(picture.frame)
        return self._filtered()

    def end(self) -> Iterator[Decoded]:
        self._graph.push(None)
        return self._filtered()

    def _filtered(self) -> Iterator[Decoded]:
        while True:
            try:
                frame = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            index = self._indexes.popleft()
            if index != self._known and isinstance(frame, VideoFrame):
                yield Decoded(index, frame)
