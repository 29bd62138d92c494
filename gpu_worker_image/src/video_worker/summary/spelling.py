"""Which readings say the same."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

SIMILAR = 0.7
"""Spellings are similar if at most 3 of 10 letters differ."""

_DIGIT_FOR = str.maketrans("oilzsb", "011258")
_LETTER_FOR = str.maketrans("01258l", "oizsbi")
_BETWEEN_LETTERS = re.compile(r"(?<=[^\W\d_])\d+(?=[^\W\d_])")
_SPELLINGS_KNOWN = 4096


class Spelling(NamedTuple):
    """A text without what readers confuse: case, spaces, and letters that look like digits.

    ``digits`` are those in order; a number that changed is another text, however similar.
    """

    letters: str
    digits: str


@lru_cache(_SPELLINGS_KNOWN)
def spelling_of(text: str) -> Spelling:
    """The spelling of a text as it was read."""
    letters = "".join(_settled(word) for word in text.casefold().split())
    return Spelling(letters, "".join(letter for letter in letters if letter.isdigit()))


def similarity(one: Spelling, other: Spelling) -> float:
    """The share of letters that need not be changed (1 minus Levenshtein's distance by the longer length)."""
    if one.letters == other.letters:
        return 1.0
    return Levenshtein.normalized_similarity(one.letters, other.letters, score_cutoff=SIMILAR)


def is_same(one: Spelling, other: Spelling) -> bool:
    """Whether both may be readings of one text."""
    return one.digits == other.digits and similarity(one, other) >= SIMILAR


def _settled(word: str) -> str:
    """A number without letters that look like digits, or a word without digits among its letters."""
    digits = sum(letter.isdigit() for letter in word)
    if digits and digits >= sum(letter.isalpha() for letter in word):
        return word.translate(_DIGIT_FOR)
    word = _BETWEEN_LETTERS.sub(lambda found: found[0].translate(_LETTER_FOR), word)
    return word.replace("l", "i")
