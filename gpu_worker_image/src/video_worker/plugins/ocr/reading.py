"""What the engines of text reading have in common: lines that were found, words that were read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from video_worker.video.open_video import Image

Words = list[dict[str, Any]]
"""The words of a line: ``text``, ``confidence`` (0-100), ``bbox`` (x, y, width, height in whole pixels of the
frame) and ``level`` (5, Tesseract's number of words). ``block_num`` and ``line_num`` are given when a frame
is put together."""

Box = list[float]
"""x1, y1, x2, y2 in pixels of the frame."""

Area = tuple[int, int, int, int]
"""x1, y1, x2, y2 of a part of the frame, in whole pixels; x2 and y2 are outside."""

Corners = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]
"""Of a line, in pixels of the frame: where its first letter begins above, then clockwise as it is read."""

WORD_LEVEL = 5


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text that was found.

    Parameters
    ----------
    letters
        How many letters it seems to have; 0 if the engine does not count them.
    words
        Its words, if they were read while lines were searched (a page); otherwise None.
    """

    corners: Corners
    letters: int = 0
    words: Words | None = None

    @classmethod
    def upright(cls, box: Box, letters: int = 0, words: Words | None = None) -> Line:
        """A line that is not rotated."""
        x1, y1, x2, y2 = box
        return cls(((x1, y1), (x2, y1), (x2, y2), (x1, y2)), letters, words)

    @property
    def box(self) -> Box:
        """The smallest upright box around it."""
        xs, ys = zip(*self.corners, strict=True)
        return [min(xs), min(ys), max(xs), max(ys)]


def is_word(text: str, confidence: float, least: float, least_by_letters: Mapping[int, float]) -> bool:
    """Whether it has a letter or digit, and enough confidence for its number of letters and digits."""
    signs = sum(character.isalnum() for character in text)
    return signs > 0 and confidence >= max(least, least_by_letters.get(signs, 0.0))


class TextReader(Protocol):
    """An engine with its layout rules. Several threads may call it at once; it remembers nothing."""

    language: str
    """What the answer's ``language`` says: Tesseract's languages, or the scripts that the model reads."""

    finds_in_areas: bool
    """Whether `find` may be given parts of a frame; otherwise it always gets the whole frame."""

    def find(self, image: Image, areas: Sequence[Area]) -> list[Line]:
        """The lines of text in some parts of a frame, in any order, with positions in the frame."""
        ...

    def read(self, image: Image, lines: Sequence[Line]) -> list[Words]:
        """The words of each line; an empty list where there is no text after all."""
        ...

    def read_regions(self, image: Image, boxes: Sequence[Box]) -> list[Words]:
        """The words in and around each box of an object; their ``line_num`` counts from 1 in each box."""
        ...

    def facts(self) -> Mapping[str, Any]:
        """Everything that the text depends on, for the fingerprint."""
        ...
