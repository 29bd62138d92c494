"""How many words of the truth were read, and how many of those read stand there, by stratum."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from video_worker.plugins.ocr.reading import Box

from tests.proofs.bench.scenes.truth import FrameTruth, Stratum, Word

_LEAST_LETTERS_OF_AN_EDIT = 4
_LEAST_SHARE_IGNORED = 0.3


@dataclass(frozen=True, slots=True)
class Reading:
    """A word that an engine read, and where."""

    text: str
    box: Box

    @classmethod
    def from_block(cls, block: Mapping[str, Any]) -> Reading:
        """From one of the ``blocks`` of a frame's result."""
        at = block["bbox"]
        return cls(block["text"], [at["x"], at["y"], at["x"] + at["width"], at["y"] + at["height"]])


@dataclass(frozen=True, slots=True)
class Score:
    """Words that stand there, words that were said, and how many of both are the same."""

    there: int = 0
    said: int = 0
    right: int = 0

    @property
    def recall(self) -> float | None:
        return self.right / self.there if self.there else None

    @property
    def precision(self) -> float | None:
        return self.right / self.said if self.said else None


Scores = dict[Stratum, Score]


def score(read: Iterable[Sequence[Reading]], truth: Iterable[FrameTruth], most_edits: int = 0) -> Scores:
    """Score frame by frame.

    A reading is right if a word with the same text (NFC, letter case aside, at most ``most_edits`` 0 or 1
    in words of four letters and more) is where it is; each word can be read once. What is read where words
    are hidden is left out. Other readings count against the word that they cover most, or against the
    frame's home stratum.
    """
    there: Counter[Stratum] = Counter()
    said: Counter[Stratum] = Counter()
    right: Counter[Stratum] = Counter()
    for readings, frame in zip(read, truth, strict=True):
        pairs = _matched(readings, frame.counted, most_edits)
        there.update(_strata(frame.counted))
        right.update(_strata(word for _, word in pairs))
        matched = {id(reading) for reading, _ in pairs}
        said.update(_strata(word for _, word in pairs))
        said.update(_blamed(frame, [one for one in readings if id(one) not in matched]))
    return {name: Score(there[name], said[name], right[name]) for name in Stratum}


def total(scores: Scores) -> Score:
    """Over all strata."""
    all_of = scores.values()
    return Score(*(sum(getattr(one, name) for one in all_of) for name in ("there", "said", "right")))


def made_up(readings: Iterable[Reading], frame: FrameTruth) -> int:
    """How many readings are neither ignored nor on any word."""
    return len(list(_blamed(frame, list(readings))))


def _strata(words: Iterable[Word]) -> Iterator[Stratum]:
    return (word.stratum for word in words if word.stratum is not None)


def _matched(
    readings: Sequence[Reading], words: Sequence[Word], most_edits: int
) -> list[tuple[Reading, Word]]:
    """Pairs of the same text in the same place; equal texts first."""
    pairs: list[tuple[Reading, Word]] = []
    free_readings, free_words = list(readings), list(words)
    for edits in range(most_edits + 1):
        for reading in list(free_readings):
            found = next((word for word in free_words if _is_read(reading, word, edits)), None)
            if found is not None:
                free_readings.remove(reading)
                free_words.remove(found)
                pairs.append((reading, found))
    return pairs


def _is_read(reading: Reading, word: Word, edits: int) -> bool:
    return _is_near(reading.box, word) and is_same_text(reading.text, word.text, edits)


def _is_near(box: Box, word: Word) -> bool:
    """Whether a box's middle is on a word or no further away than its letters are high."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    x1, y1, x2, y2 = word.box
    room = word.height
    return x1 - room <= x <= x2 + room and y1 - room <= y <= y2 + room


def is_same_text(read: str, wanted: str, edits: int = 0) -> bool:
    """After NFC and case folding; one edit is allowed in words of four letters and more."""
    one, other = (unicodedata.normalize("NFC", text).casefold() for text in (read, wanted))
    if one == other:
        return True
    return edits > 0 and len(other) >= _LEAST_LETTERS_OF_AN_EDIT and _is_one_edit(one, other)


def _is_one_edit(one: str, other: str) -> bool:
    """Whether one letter more, less or replaced makes one text the other."""
    start = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    if start is None:
        return abs(len(one) - len(other)) == 1
    one_rest, other_rest = one[start + 1 :], other[start + 1 :]
    return one_rest == other_rest or one_rest == other[start:] or one[start:] == other_rest


def _blamed(frame: FrameTruth, readings: Iterable[Reading]) -> Iterator[Stratum]:
    """The stratum that each wrong reading counts against; none for those that are left out."""
    hidden = [*frame.ignored, *(word.box for word in frame.words if word.stratum is None)]
    for reading in readings:
        if not any(_share_inside(reading.box, box) >= _LEAST_SHARE_IGNORED for box in hidden):
            yield _stratum_under(reading.box, frame)


def _stratum_under(box: Box, frame: FrameTruth) -> Stratum:
    covered = max(frame.counted, key=lambda word: _share_inside(box, word.box), default=None)
    if covered is None or covered.stratum is None or not _share_inside(box, covered.box):
        return frame.home
    return covered.stratum


def _share_inside(box: Box, other: Box) -> float:
    """The share of a box that lies in another one."""
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    area = (box[2] - box[0]) * (box[3] - box[1])
    return max(0.0, width) * max(0.0, height) / area if area > 0 else 0.0
