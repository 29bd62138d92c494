"""Search for lines of text only where a frame changed."""

from __future__ import annotations

from video_worker.plugins.ocr.areas import area_around, lies_in, merged, with_margins
from video_worker.plugins.ocr.changes import Changes
from video_worker.plugins.ocr.places import KnownPlaces
from video_worker.plugins.ocr.reading import Area, Line, TextReader
from video_worker.video.open_video import Image

_GROWTHS = (4.0, 16.0)
"""Around a line that may be cut off, in its margins: at the first time, and at the second one."""


class Search:
    """The lines of text that are found on a frame, and where they were searched."""

    def __init__(self, reader: TextReader, image: Image, changes: Changes) -> None:
        self._reader, self._image, self._whole = reader, image, changes.whole
        self._find(with_margins(changes.zones, changes.whole))

    def complete(self, known: KnownPlaces) -> None:
        """Search larger areas, until no new line may be cut off and no place that is gone is half searched.

        After a search for each of `_GROWTHS`, the whole frame is searched.
        """
        for growth in _GROWTHS:
            larger = self._missing(known, growth)
            if not larger:
                return
            self._find(merged([*self._areas, *larger], self._whole))
        if self._missing(known, 1.0):
            self._find([self._whole])

    def _find(self, areas: list[Area]) -> None:
        self._areas = areas
        self.lines: list[Line] = self._reader.find(self._image, areas)

    def _missing(self, known: KnownPlaces, growth: float) -> list[Area]:
        """What has to be searched as well."""
        half_searched = [place.area for place in known.gone if not lies_in(place.area, self._areas)]
        cut_off = [
            area_around(line.box, self._whole, growth)
            for line in known.unexplained(self.lines)
            if not lies_in(area_around(line.box, self._whole), self._areas)
        ]
        return half_searched + cut_off
