"""Agree on the spelling of a text that was read several times."""

from __future__ import annotations

from dataclasses import dataclass, field

from video_worker.summary.frames import Frame, Reading
from video_worker.summary.spelling import spelling_of
from video_worker.summary.times import BestMoment

MOST_SPELLINGS = 16


@dataclass(slots=True)
class Candidate:
    """A spelling, how often it was read, and the sum of the confidences."""

    text: str
    readings: int = 0
    weight: float = 0.0
    best: BestMoment = field(default_factory=BestMoment)

    @property
    def digits(self) -> str:
        """The digits in it."""
        return spelling_of(self.text).digits

    @property
    def confidence(self) -> float:
        """The mean confidence of its readings, 0-1."""
        return self.weight / self.readings


class Votes:
    """Each reading votes for its spelling with its confidence.

    Of many spellings, the lightest one is forgotten; its votes still count in ``weight``, the sum of all.
    """

    def __init__(self) -> None:
        self._candidates: dict[str, Candidate] = {}
        self.weight = 0.0

    def add(self, frame: Frame, reading: Reading) -> None:
        """Take a reading."""
        candidate = self._candidates.setdefault(reading.text, Candidate(reading.text))
        candidate.readings += 1
        candidate.weight += reading.confidence
        candidate.best.offer(frame, reading.box, reading.confidence)
        self.weight += reading.confidence
        self._forget_lightest(reading.text)

    def absorb(self, other: Votes) -> None:
        """Take the readings of what was held for another text."""
        for one in other._candidates.values():
            candidate = self._candidates.setdefault(one.text, Candidate(one.text))
            candidate.readings += one.readings
            candidate.weight += one.weight
            candidate.best = max(candidate.best, one.best, key=lambda best: best.rank)
            self._forget_lightest(one.text)
        self.weight += other.weight

    def ranking(self) -> list[Candidate]:
        """The agreed spelling, then the others by their votes; of equals, the one that was read first."""
        agreed = self.leader
        others = [one for one in self._candidates.values() if one is not agreed]
        return [agreed, *sorted(others, key=lambda candidate: -candidate.weight)]

    @property
    def leader(self) -> Candidate:
        """The agreed spelling: the one with the most votes, of those with the digits that have the most."""
        by_digits: dict[str, float] = {}
        for one in self._candidates.values():
            by_digits[one.digits] = by_digits.get(one.digits, 0.0) + one.weight
        digits = max(by_digits, key=by_digits.__getitem__)
        agreeing = (one for one in self._candidates.values() if one.digits == digits)
        return max(agreeing, key=lambda candidate: candidate.weight)

    def _forget_lightest(self, but: str) -> None:
        if len(self._candidates) > MOST_SPELLINGS:
            others = (one for one in self._candidates.values() if one.text != but)
            del self._candidates[min(others, key=lambda candidate: candidate.weight).text]
