"""Find lines of text in a frame, so that only they are read, each at the size that Tesseract reads best.

Tesseract's own page layout is made for scanned pages; on a photo of a street it takes most text for
pictures. Here, letters are connected components of a local threshold, dark on light and light on dark, at
two scales. Neighbours of similar height on the same base line make a line. This is the grouping of
components of Neumann & Matas 2012, without their classifiers: Tesseract decides which lines are text.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from video_worker.plugins.ocr.engines import GrayImage
from video_worker.plugins.ocr.rectangles import iou

MIN_LETTER_PX = 8
_MIN_LETTER_WIDTH_PX = 2
MAX_LETTER_SHARE = 0.35
MIN_LETTERS = 3
_BLOCK_PX = 41
_OFFSET = 14
_SCALES = (1.0, 0.4)
_MAX_LETTERS = 3000
_DOUBLE_IOU = 0.5
_PATTERN_LENGTH = 4
_PATTERN_SPREAD = 0.05

Boxes = NDArray[np.int32]
"""Rows of left, top, width, height, filled pixels."""


@dataclass(frozen=True, slots=True)
class TextLine:
    """A candidate line: x1, y1, x2, y2 in pixels of the frame, and the number of candidate letters."""

    xyxy: list[float]
    letters: int


def find_text_lines(gray: GrayImage, max_letter_share: float = MAX_LETTER_SHARE) -> list[TextLine]:
    """Candidate lines from top to bottom; reading shows which of them are text.

    ``max_letter_share`` is the height of the tallest letters to find, as a share of the image's height.
    """
    if gray.shape[0] < MIN_LETTER_PX or gray.shape[1] < _MIN_LETTER_WIDTH_PX:
        return []
    found: list[TextLine] = []
    for scale in _SCALES:
        small = _scaled(gray, scale)
        for inverted in (False, True):
            letters = _letters(small, max_letter_share, inverted=inverted)
            found += [_in_frame(line, scale) for line in _lines(letters)]
    found.sort(key=lambda line: (-line.letters, line.xyxy))
    kept: list[TextLine] = []
    for line in found:
        if all(iou(line.xyxy, other.xyxy) < _DOUBLE_IOU for other in kept):
            kept.append(line)
    return sorted(kept, key=lambda line: (line.xyxy[1], line.xyxy[0]))


def _scaled(gray: GrayImage, scale: float) -> GrayImage:
    if scale == 1.0:
        return gray
    small = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return small.astype(np.uint8, copy=False)


def _letters(gray: GrayImage, max_letter_share: float, *, inverted: bool) -> Boxes:
    """Components that have the size and filling of letters."""
    kind = cv2.THRESH_BINARY if inverted else cv2.THRESH_BINARY_INV
    offset = -_OFFSET if inverted else _OFFSET
    binary = cv2.adaptiveThreshold(gray, 255, cv2.ADAPTIVE_THRESH_MEAN_C, kind, _BLOCK_PX, offset)
    _, _, stats, _ = cv2.connectedComponentsWithStats(binary, connectivity=8)
    width, height, area = stats[1:, 2], stats[1:, 3], stats[1:, 4]
    fill = area / np.maximum(1, width * height)
    narrow = width < 0.35 * height
    fits = (
        (height >= MIN_LETTER_PX)
        & (height <= max_letter_share * gray.shape[0])
        & (width >= _MIN_LETTER_WIDTH_PX)
    )
    fits &= (width <= 2.0 * height) & (fill > 0.15) & ((fill < 0.88) | narrow)
    letters = stats[1:][fits]
    return np.asarray(letters[np.argsort(letters[:, 0], kind="stable")][:_MAX_LETTERS], np.int32)


def _lines(letters: Boxes) -> list[tuple[Boxes, int]]:
    """Groups of letters that are side by side, each with its box and number of letters."""
    if len(letters) < MIN_LETTERS:
        return []
    groups = _Groups(len(letters))
    for index in range(len(letters) - 1):
        for other in _right_neighbours(letters, index):
            groups.join(index, int(other))
    lines = []
    for members in groups.all():
        boxes = letters[members]
        if len(members) >= MIN_LETTERS and not _is_pattern(boxes):
            corner = boxes[:, :2].min(axis=0)
            end = (boxes[:, :2] + boxes[:, 2:4]).max(axis=0)
            lines.append((np.concatenate([corner, end]).astype(np.int32), len(members)))
    return lines


def _is_pattern(boxes: Boxes) -> bool:
    """Whether the components are all of one size, as windows, bricks and bars are, but letters are not."""
    sizes = boxes[:, 2:].astype(float)
    spread = sizes.std(axis=0) / sizes.mean(axis=0)
    return len(boxes) >= _PATTERN_LENGTH and bool((spread < _PATTERN_SPREAD).all())


def _right_neighbours(letters: Boxes, index: int) -> NDArray[np.intp]:
    left, top, width, height = (int(value) for value in letters[index, :4])
    reach = left + width + 1.3 * height
    until = np.searchsorted(letters[:, 0], reach, side="right")
    after = letters[index + 1 : until]
    tall = np.maximum(after[:, 3], height)
    short = np.minimum(after[:, 3], height)
    offset = np.abs((after[:, 1] + after[:, 3] / 2) - (top + height / 2))
    near = (short >= 0.6 * tall) & (offset <= 0.3 * tall) & (after[:, 0] > left + 0.3 * width)
    return np.flatnonzero(near) + index + 1


class _Groups:
    """Union-find."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def join(self, one: int, other: int) -> None:
        self._parent[self._root(one)] = self._root(other)

    def all(self) -> list[list[int]]:
        members: dict[int, list[int]] = {}
        for index in range(len(self._parent)):
            members.setdefault(self._root(index), []).append(index)
        return list(members.values())

    def _root(self, index: int) -> int:
        while self._parent[index] != index:
            self._parent[index] = self._parent[self._parent[index]]
            index = self._parent[index]
        return index


def _in_frame(line: tuple[Boxes, int], scale: float) -> TextLine:
    box, letters = line
    return TextLine([float(value) / scale for value in box], letters)
