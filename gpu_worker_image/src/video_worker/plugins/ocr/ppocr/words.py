"""The words of a line, with their boxes in the frame, from what the recognition model saw where."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean

import numpy as np

from video_worker.plugins.ocr.ppocr.ctc import Character
from video_worker.plugins.ocr.ppocr.ink import Changes, Extent, changes_of, letters_inside
from video_worker.plugins.ocr.ppocr.recognition import HEIGHT_PX, STEP_PX, Reading
from video_worker.plugins.ocr.reading import WORD_LEVEL, Corners, Words, is_word

Size = tuple[int, int]
"""Height, width."""

SHORT_WORD_CONFIDENCE = {1: 97.0, 2: 90.0, 3: 80.0}
"""Least confidence of words with so few letters and digits, because textures are often read as such."""
LONGEST_LINE = {1: 1.35, 2: 2.1}
"""A line of so few characters is at most so many times as long as high; a longer one is a texture."""

_HALF_A_CHARACTER = HEIGHT_PX / 4
"""Half the width of a usual character, in pixels of the line as it was read."""
_SLACK_PX = 4
"""The model sees a letter not exactly where it is."""


@dataclass(frozen=True, slots=True)
class _Word:
    """Characters, and the columns of the line between which they must lie."""

    characters: Sequence[Character]
    start: float
    end: float


def words_of(reading: Reading, frame: Size, min_confidence: float) -> Words:
    """The words that are read with enough confidence, in reading order."""
    if _is_too_long(reading):
        return []
    words: Words = []
    changes = changes_of(reading.pixels)
    for word in _split(reading.characters):
        text = unicodedata.normalize("NFC", "".join(one.text for one in word.characters))
        confidence = round(100 * fmean(one.probability for one in word.characters), 2)
        if is_word(text, confidence, min_confidence, SHORT_WORD_CONFIDENCE):
            box = _box_in_frame(reading.corners, _extent(changes, word), frame)
            words.append({"text": text, "confidence": confidence, "bbox": box, "level": WORD_LEVEL})
    return words


def _is_too_long(reading: Reading) -> bool:
    first, second, _, fourth = reading.corners
    longest = LONGEST_LINE.get(len(reading.characters), math.inf)
    return math.dist(first, second) > longest * math.dist(first, fourth)


def _split(characters: Sequence[Character]) -> Iterator[_Word]:
    """The line's words; a space belongs half to the word before it and half to the one behind it."""
    groups = [list(group) for _, group in groupby(characters, key=lambda one: one.text.isspace())]
    for number, group in enumerate(groups):
        if not group[0].text.isspace():
            start = _middle(groups[number - 1][-1]) if number else 0.0
            end = _middle(groups[number + 1][0]) if number + 1 < len(groups) else math.inf
            yield _Word(group, start, end)


def _extent(changes: Changes, word: _Word) -> Extent:
    """Of a word in its line: to half a character before its first and behind its last one."""
    half = _half_a_character(word.characters) + _SLACK_PX
    start = max(word.start, _middle(word.characters[0]) - half)
    return letters_inside(changes, start, min(word.end, _middle(word.characters[-1]) + half))


def _middle(character: Character) -> float:
    return STEP_PX * (character.first + character.last + 1) / 2


def _half_a_character(characters: Sequence[Character]) -> float:
    if len(characters) == 1:
        return _HALF_A_CHARACTER
    return (_middle(characters[-1]) - _middle(characters[0])) / (len(characters) - 1) / 2


def _box_in_frame(corners: Corners, extent: Extent, frame: Size) -> dict[str, int]:
    """The upright box around a part of a line; at least one pixel, inside the frame."""
    upper_left, upper_right, lower_right, lower_left = np.array(corners, np.float64)
    points = np.array(
        [
            (1 - y) * ((1 - x) * upper_left + x * upper_right) + y * ((1 - x) * lower_left + x * lower_right)
            for x in (extent.left, extent.right)
            for y in (extent.top, extent.bottom)
        ]
    )
    height, width = frame
    left, top = np.clip(np.floor(points.min(0) + 0.5), 0, (width - 1, height - 1)).astype(int).tolist()
    right, bottom = (
        np.clip(np.floor(points.max(0) + 0.5), (left + 1, top + 1), (width, height)).astype(int).tolist()
    )
    return {"x": left, "y": top, "width": right - left, "height": bottom - top}
