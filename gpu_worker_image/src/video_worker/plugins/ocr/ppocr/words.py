"""The words of a line, with their boxes in the frame, from what the recognition model saw where."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby
from statistics import fmean

import numpy as np

from video_worker.plugins.ocr.ppocr.ctc import Character
from video_worker.plugins.ocr.ppocr.recognition import HEIGHT_PX, STEP_PX, Reading
from video_worker.plugins.ocr.reading import WORD_LEVEL, Words

Size = tuple[int, int]
"""Height, width."""

SHORT_WORD_CONFIDENCE = {1: 90.0, 2: 85.0, 3: 75.0}
"""Least confidence of words with so few letters and digits, because textures are often read as such."""

_HALF_A_CHARACTER = HEIGHT_PX / STEP_PX / 4
"""Half the width of a usual character, in steps."""


def words_of(reading: Reading, frame: Size, min_confidence: float) -> Words:
    """The words that are read with enough confidence, in reading order."""
    words: Words = []
    for characters in _split(reading.characters):
        text = unicodedata.normalize("NFC", "".join(one.text for one in characters))
        confidence = round(100 * fmean(one.probability for one in characters), 2)
        box = _box(reading, characters, frame)
        if is_word(text, confidence, min_confidence) and box is not None:
            words.append({"text": text, "confidence": confidence, "bbox": box, "level": WORD_LEVEL})
    return words


def is_word(text: str, confidence: float, min_confidence: float) -> bool:
    """Whether it has a letter or digit, and enough confidence for its length."""
    signs = sum(character.isalnum() for character in text)
    return signs > 0 and confidence >= max(min_confidence, SHORT_WORD_CONFIDENCE.get(signs, 0.0))


def _split(characters: Sequence[Character]) -> Iterator[list[Character]]:
    for is_space, group in groupby(characters, key=lambda one: one.text.isspace()):
        if not is_space:
            yield list(group)


def _box(reading: Reading, characters: list[Character], frame: Size) -> dict[str, int] | None:
    """The upright box around a word, inside the frame; None if nothing of it is inside."""
    half = _half_a_character(characters)
    start = max(0.0, (_middle(characters[0]) - half) / reading.steps)
    end = min(1.0, (_middle(characters[-1]) + half) / reading.steps)
    upper_left, upper_right, lower_right, lower_left = np.array(reading.corners, np.float64)
    above, below = upper_right - upper_left, lower_right - lower_left
    points = np.array(
        [
            upper_left + start * above,
            upper_left + end * above,
            lower_left + end * below,
            lower_left + start * below,
        ]
    )
    height, width = frame
    left, top = np.clip(np.floor(points.min(0) + 0.5), 0, (width, height)).astype(int).tolist()
    right, bottom = np.clip(np.floor(points.max(0) + 0.5), 0, (width, height)).astype(int).tolist()
    if right <= left or bottom <= top:
        return None
    return {"x": left, "y": top, "width": right - left, "height": bottom - top}


def _middle(character: Character) -> float:
    return (character.first + character.last + 1) / 2


def _half_a_character(characters: list[Character]) -> float:
    if len(characters) == 1:
        return _HALF_A_CHARACTER
    return (_middle(characters[-1]) - _middle(characters[0])) / (len(characters) - 1) / 2
