"""Deinterlace pictures with FFmpeg's bwdif, as the service does before it analyses them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import av
from av.filter import Graph
from av.video.frame import VideoFrame

from video_jobs_client.annotate.source import ShownPicture

_ANY_TIME_BASE = Fraction(1, 90_000)


class Deinterlacer:
    """Gives one picture for each, in their order; those that are not interlaced stay as they are."""

    def __init__(self) -> None:
        self._graph: Graph | None = None
        self._form: tuple[int, int, str] | None = None
        self._waiting: deque[ShownPicture] = deque()

    def feed(self, shown: ShownPicture) -> Iterator[ShownPicture]:
        """Take a picture; gives those that are finished."""
        picture = shown.picture
        form = (picture.width, picture.height, picture.format.name)
        if self._graph is not None and form != self._form:
            yield from self.end()
        if self._graph is None and picture.interlaced_frame:
            self._graph, self._form = _graph_for(picture), form
        if self._graph is None:
            yield shown
            return
        self._waiting.append(shown)
        self._graph.push(picture)
        yield from self._filtered(self._graph)

    def end(self) -> Iterator[ShownPicture]:
        """Give those that were held back."""
        if self._graph is not None:
            self._graph.push(None)
            yield from self._filtered(self._graph)
        self._graph = None

    def _filtered(self, graph: Graph) -> Iterator[ShownPicture]:
        while True:
            try:
                picture = graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            if isinstance(picture, VideoFrame):
                yield replace(self._waiting.popleft(), picture=picture)


def _graph_for(picture: VideoFrame) -> Graph:
    graph = Graph()
    source = graph.add_buffer(
        width=picture.width, height=picture.height, format=picture.format, time_base=_ANY_TIME_BASE
    )
    bwdif, sink = graph.add("bwdif", "mode=send_frame:parity=auto:deint=interlaced"), graph.add("buffersink")
    source.link_to(bwdif)
    bwdif.link_to(sink)
    graph.configure()
    return graph
