"""The memory of a frame's pixels: what changed since they were last searched for text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from video_worker.plugins.ocr.areas import Mask, rectangles_of, with_margins
from video_worker.plugins.ocr.differences import LEAST_THRESHOLD, changed_cells
from video_worker.plugins.ocr.engines import GrayImage
from video_worker.plugins.ocr.reading import Area


@dataclass(frozen=True, slots=True)
class Changes:
    """What may have changed on a frame since its pixels were last searched.

    Parameters
    ----------
    zones
        Rectangles that hold all cells that changed, and those between them; the whole frame if all of it is
        searched.
    threshold
        What a cell had to differ by, in grey levels.
    """

    gray: GrayImage
    zones: Sequence[Area]
    threshold: int

    @property
    def whole(self) -> Area:
        """The whole frame."""
        height, width = self.gray.shape
        return (0, 0, width, height)

    def touch(self, area: Area) -> bool:
        """Whether anything may have changed in an area."""
        return any(_common(area, zone) is not None for zone in self.zones)

    def touch_beyond(self, area: Area, known: Area) -> bool:
        """Whether anything may have changed in an area, outside of another one."""
        parts = (_common(area, zone) for zone in self.zones)
        return any(part is not None and _common(part, known) != part for part in parts)


class SearchedPicture:
    """The picture as it was last searched, zone by zone.

    It is not the frame before, so that slow changes add up and are noticed.

    Parameters
    ----------
    in_areas
        Whether parts of a frame can be searched; otherwise a change is one of the whole frame.
    """

    def __init__(self, *, in_areas: bool) -> None:
        self._in_areas = in_areas
        self._gray: GrayImage | None = None

    def changes(self, gray: GrayImage) -> Changes | None:
        """What changed, if anything; those zones count as searched from now on."""
        if self._gray is None:
            self._gray = gray.copy()
            return Changes(gray, [_whole(gray)], LEAST_THRESHOLD)
        changed = changed_cells(self._gray, gray)
        if changed is None:
            return None
        mask, threshold = changed
        zones = self._zones(mask, _whole(gray))
        for x1, y1, x2, y2 in zones:
            self._gray[y1:y2, x1:x2] = gray[y1:y2, x1:x2]
        return Changes(gray, zones, threshold)

    def _zones(self, mask: Mask, whole: Area) -> list[Area]:
        zones = rectangles_of(mask)
        return zones if self._in_areas and with_margins(zones, whole) != [whole] else [whole]


def _whole(gray: GrayImage) -> Area:
    height, width = gray.shape
    return (0, 0, width, height)


def _common(one: Area, other: Area) -> Area | None:
    """What two areas have in common."""
    x1, y1, x2, y2 = (
        max(one[0], other[0]),
        max(one[1], other[1]),
        min(one[2], other[2]),
        min(one[3], other[3]),
    )
    return (x1, y1, x2, y2) if x1 < x2 and y1 < y2 else None
