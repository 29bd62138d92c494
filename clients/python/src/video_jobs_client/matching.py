"""Which text of one summary is which text of another one."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from video_jobs_client.models import TextSummary

Pair: TypeAlias = tuple[TextSummary, TextSummary]

_NEAR_MS = 1000
"""Texts with other letters are the same only if they are in view at one time, or at most so far apart."""


def matched(first: Sequence[TextSummary], second: Sequence[TextSummary]) -> list[Pair]:
    """Pairs of texts, each in one pair at most.

    Equal texts are paired first, then those of which at most 30 % of the letters differ and that were in view
    at about the same time. Case and spaces make no difference. Of several, those whose starts are closest
    belong together.
    """
    equal = _chosen(_equal(first, second))
    rest = [_without(texts, (pair[side] for pair in equal)) for side, texts in enumerate((first, second))]
    return equal + _chosen(_similar(*rest))


def normalised(text: str) -> str:
    """A text without what makes no difference."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def edit_distance(one: str, other: str, most: int) -> int | None:
    """How many letters are put in, left out or replaced (Levenshtein); None if it is more than ``most``."""
    if max((Counter(one) - Counter(other)).total(), (Counter(other) - Counter(one)).total()) > most:
        return None
    row = list(range(len(other) + 1))
    for number, letter in enumerate(one, start=1):
        above, row = row, [number]
        for place, another in enumerate(other):
            row.append(min(above[place + 1] + 1, row[place] + 1, above[place] + (letter != another)))
        if min(row) > most:
            return None
    return row[-1] if row[-1] <= most else None


def _equal(first: Sequence[TextSummary], second: Sequence[TextSummary]) -> Iterator[tuple[int, Pair]]:
    by_text: dict[str, list[TextSummary]] = {}
    for other in second:
        by_text.setdefault(normalised(other.text), []).append(other)
    for one in first:
        for other in by_text.get(normalised(one.text), ()):
            yield 0, (one, other)


def _similar(first: Sequence[TextSummary], second: Sequence[TextSummary]) -> Iterator[tuple[int, Pair]]:
    normal = [(other, normalised(other.text)) for other in second]
    for one in first:
        text = normalised(one.text)
        for other, another in normal:
            if not _is_near(one, other):
                continue
            distance = edit_distance(text, another, max(len(text), len(another)) * 3 // 10)
            if distance is not None:
                yield distance, (one, other)


def _is_near(one: TextSummary, other: TextSummary) -> bool:
    return other.start_ms <= one.end_ms + _NEAR_MS and one.start_ms <= other.end_ms + _NEAR_MS


def _chosen(candidates: Iterable[tuple[int, Pair]]) -> list[Pair]:
    """The best candidates; each text is taken once."""
    taken: tuple[set[int], set[int]] = (set(), set())
    chosen = []
    for _, pair in sorted(candidates, key=_rank):
        ids = [text.text_id for text in pair]
        if not any(number in known for number, known in zip(ids, taken, strict=True)):
            chosen.append(pair)
            for number, known in zip(ids, taken, strict=True):
                known.add(number)
    return chosen


def _rank(candidate: tuple[int, Pair]) -> tuple[float, ...]:
    distance, (one, other) = candidate
    return distance, abs(one.start_ms - other.start_ms), one.text_id, other.text_id


def _without(texts: Sequence[TextSummary], others: Iterable[TextSummary]) -> list[TextSummary]:
    ids = {other.text_id for other in others}
    return [text for text in texts if text.text_id not in ids]
