"""Which characters are wanted, and the scripts that they belong to."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

LATIN = "Latn"
_SCRIPTS = {
    "LATIN": LATIN,
    "CJK": "Hani",
    "HIRAGANA": "Hira",
    "KATAKANA": "Kana",
    "HANGUL": "Hang",
    "GREEK": "Grek",
    "CYRILLIC": "Cyrl",
    "ARABIC": "Arab",
    "HEBREW": "Hebr",
    "DEVANAGARI": "Deva",
    "THAI": "Thai",
    "TAMIL": "Taml",
    "TELUGU": "Telu",
}
"""ISO 15924 codes by the first word of a letter's name in Unicode."""

_A_SCRIPT_HAS = 20
"""Fewer letters of a script are mathematical signs and the like."""
_LAST_ACCENTED = "\u024f"
"""The end of Unicode's block Latin Extended-B; what follows are signs of phonetics."""
_VIETNAMESE = ("\u1e00", "\u1eff")
_PUNCTUATION = ("\u2010", "\u203a")
_SIGNS = "€₤₩₹₽№℃℉™"


def scripts_of(characters: Sequence[str]) -> list[str]:
    """The scripts of the characters, those with the most letters first after Latin."""
    count: dict[str, int] = {}
    for character in characters:
        if len(character) == 1 and unicodedata.category(character).startswith("L"):
            script = _SCRIPTS.get(unicodedata.name(character, "").partition(" ")[0])
            if script is not None:
                count[script] = count.get(script, 0) + 1
    found = [script for script, letters in count.items() if letters >= _A_SCRIPT_HAS]
    return sorted(found, key=lambda script: (script != LATIN, -count[script], script))


def is_latin(character: str) -> bool:
    """Whether it is used in texts of Latin script: letters with and without accents, digits, signs."""
    if len(character) != 1:
        return False
    if _VIETNAMESE[0] <= character <= _VIETNAMESE[1]:
        return True
    punctuation = _PUNCTUATION[0] <= character <= _PUNCTUATION[1]
    return character <= _LAST_ACCENTED or punctuation or character in _SIGNS
