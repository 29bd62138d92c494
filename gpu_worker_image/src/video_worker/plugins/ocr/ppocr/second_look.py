"""Where a frame was scaled down, look again at its own resolution.

Small print leaves faint or broken patches in the map of the scaled frame; beside large letters, it leaves
nothing there. So parts of the frame, all of one size, are searched again: around such patches, and where fine
detail beside a large line was lost. What they give is joined with the lines found before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from video_worker.plugins.ocr.ppocr.shapes import SMALLEST
from video_worker.plugins.ocr.ppocr.text_map import Found, TextMap
from video_worker.plugins.ocr.reading import Area
from video_worker.plugins.ocr.rectangles import size_of
from video_worker.video.open_video import Image

DOUBT = 0.2
"""The map's value from which on a pixel may belong to text; far less than a line needs."""
MOST_LOOKS = 6
"""So many parts of a frame are searched again."""
SCALED_DOWN = 0.9
"""Frames that were scaled by more than this are not searched again."""

LARGE_LINE_PX = 24
"""Beside a line that is so high in the scaled frame, fine detail may be small print."""
MOST_AROUND_PX = 160
"""How far from a large line small print is looked for, in pixels of the frame; at most the line's height."""
LEAST_CELLS = 2
"""Small print has a width of at least so many cells of 16 pixels."""
LOST_CONTRAST = 24
"""A pixel is lost detail if the scaled frame, enlarged again, differs by so many grey levels."""
LOST_SHARE = 0.2
"""The share of lost pixels from which on a cell may be print; the edge of a sign has less."""

_CELL_PX = 16
_MARGIN_PX = 24
"""Around a patch, in pixels of the frame, inside the part that is searched."""
_LEAST_PIXELS = 3

Patches = NDArray[np.int32]
"""Rows of left, top, width, height, number of pixels."""


def doubtful(text_map: TextMap, lines: Sequence[Found]) -> list[Area]:
    """The patches of a map that are no part of a line; lines and patches in pixels of the map."""
    mask = (text_map > DOUBT).astype(np.uint8)
    for line in lines:
        cv2.fillPoly(mask, [np.array(line.corners).round().astype(np.int32)], (0,))
    _, _, patches, _ = cv2.connectedComponentsWithStats(mask)
    return [
        (int(x), int(y), int(x + width), int(y + height))
        for x, y, width, height, pixels in patches[1:]
        if pixels >= _LEAST_PIXELS
    ]


def fine_print(image: Image, lines: Sequence[Found], scale: float) -> list[Area]:
    """Where detail is lost at ``scale`` above, below and beside large lines, in pixels of the frame."""
    large = [line for line in lines if line.height * scale >= LARGE_LINE_PX]
    return [patch for line in large for patch in _lost_detail(image, _around(line, image), lines, scale)]


def _around(line: Found, image: Image) -> Area:
    x1, y1, x2, y2 = line.box
    margin = min(line.height, MOST_AROUND_PX)
    left, top = max(0, round(x1 - margin)), max(0, round(y1 - margin))
    return (left, top, min(image.shape[1], round(x2 + margin)), min(image.shape[0], round(y2 + margin)))


def _lost_detail(image: Image, area: Area, lines: Sequence[Found], scale: float) -> list[Area]:
    left, top, right, bottom = area
    columns, rows = (right - left) // _CELL_PX, (bottom - top) // _CELL_PX
    if not columns or not rows:
        return []
    grey = cv2.cvtColor(
        image[top : top + rows * _CELL_PX, left : left + columns * _CELL_PX], cv2.COLOR_BGR2GRAY
    )
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    enlarged = cv2.resize(small, (grey.shape[1], grey.shape[0]), interpolation=cv2.INTER_LINEAR)
    lost = (cv2.absdiff(grey, enlarged) > LOST_CONTRAST).astype(np.float32)
    for line in lines:
        cv2.fillPoly(lost, [(np.array(line.corners) - (left, top)).round().astype(np.int32)], (0,))
    cells = cv2.resize(lost, (columns, rows), interpolation=cv2.INTER_AREA) >= LOST_SHARE
    _, _, patches, _ = cv2.connectedComponentsWithStats(cells.astype(np.uint8))
    return [
        (
            left + int(x) * _CELL_PX,
            top + int(y) * _CELL_PX,
            left + int(x + width) * _CELL_PX,
            top + int(y + height) * _CELL_PX,
        )
        for x, y, width, height, _ in patches[1:]
        if width >= LEAST_CELLS
    ]


def parts_to_look_at(groups: Iterable[Sequence[Area]], frame: tuple[int, int]) -> list[Area]:
    """Parts of the frame that hold the patches (in pixels of the frame), all of the same size.

    The first group comes first, and in it the largest patches; what does not fit into `MOST_LOOKS` parts is
    left out.
    """
    parts: list[Area] = []
    for group in groups:
        pieces = [piece for patch in group for piece in _pieces(patch)]
        for piece in sorted(pieces, key=lambda piece: (-size_of(piece), piece)):
            if len(parts) < MOST_LOOKS and not any(_holds(part, piece) for part in parts):
                parts.append(_part_around(piece, frame))
    return parts


def _pieces(patch: Area) -> list[Area]:
    """The patch, cut where it is wider or higher than a part without its margins."""
    height, width = (side - 2 * _MARGIN_PX for side in SMALLEST)
    left, top, right, bottom = patch
    columns, rows = -(-(right - left) // width), -(-(bottom - top) // height)
    x = [left + (right - left) * number // columns for number in range(columns + 1)]
    y = [top + (bottom - top) * number // rows for number in range(rows + 1)]
    return [
        (x[column], y[row], x[column + 1], y[row + 1]) for row in range(rows) for column in range(columns)
    ]


def _holds(part: Area, piece: Area) -> bool:
    """Whether a piece lies in a part with half its margin."""
    margin = _MARGIN_PX // 2
    return (
        part[0] + margin <= piece[0]
        and part[1] + margin <= piece[1]
        and part[2] - margin >= piece[2]
        and part[3] - margin >= piece[3]
    )


def _part_around(piece: Area, frame: tuple[int, int]) -> Area:
    height, width = SMALLEST
    left = max(0, min((piece[0] + piece[2] - width) // 2, frame[1] - width))
    top = max(0, min((piece[1] + piece[3] - height) // 2, frame[0] - height))
    return (left, top, left + width, top + height)
