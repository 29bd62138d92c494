"""Search for lines of text only where a frame changed."""

from __future__ import annotations

from collections.abc import Sequence

from video_worker.plugins.ocr.areas import area_around, lies_in, merged, with_margins
from video_worker.plugins.ocr.changes import Changes
from video_worker.plugins.ocr.reading import Area, Line, TextReader
from video_worker.video.open_video import Image

_GROWTHS = (4.0, 16.0)
"""Around a line that may be cut off, in its margins: at the first time, and at the second one."""


class Search:
    """The lines of text that are found on a frame, and where they were searched.

    A line that changed and does not lie inside its area with a margin may be cut off. Then the area grows,
    and is searched again; if that happens more often than `_GROWTHS` tells, the whole
    frame is searched.
    """

    def __init__(self, reader: TextReader, image: Image, changes: Changes) -> None:
        self._reader, self._image, self._changes = reader, image, changes
        self._areas = with_margins(changes.zones, changes.whole)
        self.lines = self._find()

    def include(self, areas: Sequence[Area]) -> None:
        """Search again if some areas were not searched as wholes."""
        if not all(lies_in(area, self._areas) for area in areas):
            self._areas = merged([*self._areas, *areas], self._changes.whole)
            self.lines = self._find()

    def _find(self) -> list[Line]:
        for growth in _GROWTHS:
            lines = self._reader.find(self._image, self._areas)
            cut_off = [line.box for line in lines if self._is_cut_off(line)]
            if not cut_off:
                return lines
            larger = (area_around(box, self._changes.whole, growth) for box in cut_off)
            self._areas = merged([*self._areas, *larger], self._changes.whole)
        self._areas = [self._changes.whole]
        return self._reader.find(self._image, self._areas)

    def _is_cut_off(self, line: Line) -> bool:
        area = area_around(line.box, self._changes.whole)
        return self._changes.touch(area) and not lies_in(area, self._areas)
