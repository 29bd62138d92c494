"""Where a frame was scaled down, look again at its own resolution at what seemed to be text but was no line.

Small print leaves faint or broken patches in the map of the scaled frame. Parts of the frame around such
patches, all of one size, are searched again; what they give is joined with the lines found before.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from video_worker.plugins.ocr.ppocr.shapes import SMALLEST
from video_worker.plugins.ocr.ppocr.text_map import Found, TextMap
from video_worker.plugins.ocr.reading import Area

DOUBT = 0.2
"""The map's value from which on a pixel may belong to text; far less than a line needs."""
MOST_LOOKS = 6
"""So many parts of a frame are searched again."""
SCALED_DOWN = 0.9
"""Frames that were scaled by more than this are not searched again."""

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


def parts_to_look_at(patches: Sequence[Area], frame: tuple[int, int]) -> list[Area]:
    """Parts of the frame that hold the patches (in pixels of the frame), all of the same size.

    The largest patches come first; what does not fit into `MOST_LOOKS` parts is left out.
    """
    pieces = [piece for patch in patches for piece in _pieces(patch)]
    pieces.sort(key=lambda piece: ((piece[0] - piece[2]) * (piece[3] - piece[1]), piece))
    parts: list[Area] = []
    for piece in pieces:
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
