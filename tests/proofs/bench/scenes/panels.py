"""Lines of text laid out flat: a sign before it is put into the world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tests.proofs.bench.scenes.faces import Ink, InkedWord, inked_word
from tests.proofs.bench.scenes.truth import Quad

_WORD_GAP, _LINE_GAP = 0.55, 0.75
"""In heights of a capital letter."""
_FULL = 0.5
_POINTS = 300


@dataclass(frozen=True, slots=True)
class TextLine:
    """Words separated by spaces, in capital letters of ``capital`` pixels, before the warp."""

    text: str
    face: str
    capital: float


@dataclass(frozen=True, slots=True, eq=False)
class PlacedWord:
    """A word on a panel: the place of its capital letters, and some points of its ink (x, y)."""

    text: str
    quad: Quad
    points: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """The ink of all lines, and where each word is."""

    ink: Ink
    words: tuple[PlacedWord, ...]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.ink.shape[1], self.ink.shape[0]


@dataclass(frozen=True, slots=True)
class _SetLine:
    words: tuple[tuple[str, InkedWord], ...]
    gap: int

    @property
    def width(self) -> int:
        inked: int = sum(word.ink.shape[1] for _, word in self.words)
        return inked + self.gap * (len(self.words) - 1)

    @property
    def capital(self) -> float:
        return self.words[0][1].capital


def lay_out(lines: Sequence[TextLine], margin: float, *, is_centred: bool = True) -> Panel:
    """Lines under each other; ``margin`` is in heights of a capital letter of the first line."""
    rows = [_set(line) for line in lines]
    edge = round(margin * rows[0].capital) + 2
    baselines = _baselines(rows, edge)
    width = max(row.width for row in rows) + 2 * edge
    height = round(baselines[-1] + max(0.4 * rows[-1].capital, edge))
    ink = np.zeros((height, width), np.float32)
    words: list[PlacedWord] = []
    for row, baseline in zip(rows, baselines, strict=True):
        x = (width - row.width) // 2 if is_centred else edge
        for text, word in row.words:
            words.append(_place(ink, text, word, (x, baseline)))
            x += word.ink.shape[1] + row.gap
    return Panel(ink, tuple(words))


def _set(line: TextLine) -> _SetLine:
    words = tuple((text, inked_word(line.face, text, line.capital)) for text in line.text.split())
    return _SetLine(words, round(_WORD_GAP * line.capital))


def _baselines(rows: Sequence[_SetLine], edge: int) -> list[int]:
    baselines = [edge + round(rows[0].capital)]
    for above, row in pairwise(rows):
        baselines.append(round(baselines[-1] + row.capital + _LINE_GAP * max(above.capital, row.capital)))
    return baselines


def _place(ink: Ink, text: str, word: InkedWord, at: tuple[int, int]) -> PlacedWord:
    """Put a word's ink with its baseline at ``at``; what is outside of the panel would be cut off."""
    x, baseline = at
    height, width = word.ink.shape
    top = baseline - word.baseline
    rows = slice(max(0, top), min(ink.shape[0], top + height))
    inside = word.ink[rows.start - top : rows.stop - top]
    np.maximum(ink[rows, x : x + width], inside, out=ink[rows, x : x + width])
    left, right, above = float(x), float(x + width), baseline - word.capital
    quad = np.array([(left, above), (right, above), (right, baseline), (left, baseline)], np.float64)
    inked = np.add(np.argwhere(word.ink > _FULL)[:, ::-1], (x + 0.5, top + 0.5))
    return PlacedWord(text, quad, inked[:: max(1, len(inked) // _POINTS)])
