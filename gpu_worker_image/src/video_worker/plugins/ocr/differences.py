"""Which pixels of a picture changed so much that text there may have changed.

Two pictures are compared by their absolute differences, averaged over cells of `CELL_PX` pixels, which
removes the noise of a sensor. A cell has changed if it differs by more than a threshold and by more than
`EDGE_SHARE` of the contrast around it, because compression leaves more noise beside an edge, the stronger
the edge is.

The threshold follows the noise of the picture: of the largest differences in blocks of 64 pixels, the lowest
tenth. What moves cannot raise it as long as a tenth of the picture stands still. Measured on a static scene
at 1080p with the noise of a sensor (a standard deviation of 2 and of 4), H.264 at crf 23, 30 and 35: where
the encoder starts a new group of pictures, this noise is 4 to 7, 5 to 7 and 7 to 8 grey levels, and 99 % of
the blocks differ by at most 2.7 times as much (9, 15 and 21). The threshold is twice the noise, but at least
10 and at most 16. With footage of moving cars it is 11 in the mean.

The limits of the method, measured on all pairs of letters and digits that are 9 pixels high: the most similar
pair (I and l) differs by 8.03 % of its contrast, the next (i and l) by 9.6 %. If text is that small and
fainter than 125 grey levels, the smallest of these changes are not noticed until something else changes
there. At the largest threshold that holds below 200 grey levels: with a contrast of 140, three of 1,891 pairs
look the same (I and l, i and l, O and Q), and none that is 12 pixels high.
"""

from __future__ import annotations

import cv2
import numpy as np

from video_worker.plugins.ocr.areas import Mask, rectangles_of
from video_worker.plugins.ocr.engines import GrayImage
from video_worker.plugins.ocr.reading import Area

CELL_PX = 4
LEAST_THRESHOLD, MOST_THRESHOLD = 10, 16
"""Grey levels of 255."""
NOISE_FACTOR = 2
BLOCK_CELLS = 16
NOISE_QUANTILE = 0.1
"""Of the blocks; those of black bars are without noise, and may lower the estimate, which is harmless."""
EDGE_SHARE = 0.08
"""Of the contrast within `EDGE_PX`, in the picture where it is weaker: new text had no edge before."""
EDGE_PX = 9
_ALLOWED = (np.arange(256) * EDGE_SHARE).astype(np.uint8)


def has_changed(before: GrayImage, after: GrayImage, threshold: int = LEAST_THRESHOLD) -> bool:
    """Whether two pictures of the same size differ so much that their text may differ."""
    if before.size == 0:
        return False
    averaged = _averaged_difference(before, after)
    most = int(averaged.max())
    if most <= threshold or most > EDGE_SHARE * 255:
        return most > threshold
    return bool(_beyond_noise(averaged, before, after, threshold).any())


def changed_cells(before: GrayImage, after: GrayImage) -> tuple[Mask, int] | None:
    """The middles of the cells that changed, if any, and the threshold that the frame's noise asked for."""
    averaged = _averaged_difference(before, after)
    if int(averaged.max()) <= LEAST_THRESHOLD:
        return None
    threshold = _threshold(averaged)
    if int(averaged.max()) <= threshold:
        return None
    mask = _beyond_noise(averaged, before, after, threshold)
    return (mask, threshold) if mask.any() else None


def _averaged_difference(before: GrayImage, after: GrayImage) -> GrayImage:
    averaged = cv2.blur(cv2.absdiff(before, after), (CELL_PX, CELL_PX))
    return averaged.astype(np.uint8, copy=False)


def _threshold(averaged: GrayImage) -> int:
    """The threshold that the noise of a picture asks for."""
    cells = averaged[CELL_PX // 2 :: CELL_PX, CELL_PX // 2 :: CELL_PX]
    rows, columns = (size // BLOCK_CELLS for size in cells.shape)
    if rows == 0 or columns == 0:
        return LEAST_THRESHOLD
    whole = cells[: rows * BLOCK_CELLS, : columns * BLOCK_CELLS]
    blocks = whole.reshape(rows, BLOCK_CELLS, columns, BLOCK_CELLS).max(axis=(1, 3))
    noise = int(np.quantile(blocks, NOISE_QUANTILE, method="lower"))
    return min(MOST_THRESHOLD, max(LEAST_THRESHOLD, NOISE_FACTOR * noise))


def _beyond_noise(averaged: GrayImage, before: GrayImage, after: GrayImage, threshold: int) -> Mask:
    """Where cells differ by more than the threshold and the noise of edges."""
    mask = cv2.threshold(averaged, threshold, 255, cv2.THRESH_BINARY)[1].astype(np.uint8, copy=False)
    for x1, y1, x2, y2 in rectangles_of(mask):
        contrast = cv2.min(_contrast(before, (x1, y1, x2, y2)), _contrast(after, (x1, y1, x2, y2)))
        beyond = cv2.compare(averaged[y1:y2, x1:x2], cv2.LUT(contrast, _ALLOWED), cv2.CMP_GT)
        mask[y1:y2, x1:x2] &= beyond.astype(np.uint8, copy=False)
    return mask


def _contrast(gray: GrayImage, area: Area) -> GrayImage:
    """The brightest minus the darkest pixel around each pixel of an area, in grey levels."""
    x1, y1, x2, y2 = area
    left, top = max(0, x1 - EDGE_PX), max(0, y1 - EDGE_PX)
    part = gray[top : y2 + EDGE_PX, left : x2 + EDGE_PX]
    around = np.ones((EDGE_PX, EDGE_PX), np.uint8)
    contrast = cv2.subtract(cv2.dilate(part, around), cv2.erode(part, around))
    return contrast[y1 - top : y2 - top, x1 - left : x2 - left].astype(np.uint8, copy=False)
