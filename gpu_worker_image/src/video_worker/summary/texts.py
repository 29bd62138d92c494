"""Put the readings of a text on many frames together.

A reading goes on with a text that was just read, if it says the same at the same place. A number that
changed is another text; but if the earlier one comes back soon, what was read meanwhile was misread, and
counts as its readings. A text that was hidden for longer is begun anew, and is joined with the earlier one
once it is settled that it is no misreading.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from video_jobs.domain.summary import MOST_TEXTS, TextSummary

from video_worker.summary.frames import Frame, Reading
from video_worker.summary.intervals import IN_VIEW_GAP_US
from video_worker.summary.longest import Longest
from video_worker.summary.open_text import OpenText
from video_worker.summary.sampling import SamplingInterval
from video_worker.summary.text_matching import best_matches

COMES_BACK_US = 1_000_000
"""What is read between two readings of a text, so far apart at most, may have been misread."""
TEXT_MEMORY_US = 10_000_000
"""A text that is read again after a longer time is another one."""


class TextFold:
    """Holds the texts that may be read again, and the summaries of the others."""

    def __init__(self, interval: SamplingInterval) -> None:
        self._interval = interval
        self._open: list[OpenText] = []
        self._ended: Longest[tuple[int, TextSummary]] = Longest(MOST_TEXTS)
        self._orders = 0

    def add(self, frame: Frame) -> None:
        """Take the next frame."""
        self._settle(lambda text: frame.start_us - text.first_us > self._comes_back_us)
        self._close(lambda text: text.unread_us(frame.start_us) > self._memory_us(text))
        recent = [text for text in self._open if text.unread_us(frame.start_us) <= self._comes_back_us]
        pairs = best_matches(recent, frame)
        for text, reading in pairs:
            self._absorb_misread(text, frame)
            text.see(frame, reading, self._gap_us)
        read = {id(reading) for _, reading in pairs}
        for reading in frame.readings:
            if id(reading) not in read:
                self._begin(frame, reading)

    def end(self) -> None:
        """The video has ended."""
        self._settle(lambda _: True)
        self._close(lambda _: True)

    @property
    def left_out(self) -> int:
        """How many texts are not among `texts`."""
        return self._ended.left_out

    def texts(self) -> tuple[TextSummary, ...]:
        """The ended texts in the order of their first appearance, numbered."""
        ordered = sorted(self._ended.entries(), key=lambda entry: entry[0])
        return tuple(replace(text, text_id=number) for number, (_, text) in enumerate(ordered, 1))

    @property
    def _gap_us(self) -> int:
        return self._interval.gap_us(IN_VIEW_GAP_US)

    @property
    def _comes_back_us(self) -> int:
        return self._interval.gap_us(COMES_BACK_US)

    def _memory_us(self, text: OpenText) -> int:
        """How long an unread text is held; what goes on with it must be settled meanwhile."""
        if text.frames == 1:
            return self._comes_back_us
        return self._interval.gap_us(TEXT_MEMORY_US) + self._comes_back_us

    def _begin(self, frame: Frame, reading: Reading) -> None:
        self._orders += 1
        self._open.append(OpenText(self._orders, frame, reading, self._gap_us))

    def _absorb_misread(self, text: OpenText, frame: Frame) -> None:
        """The text is read again: what was begun since, and is not read now, may be absorbed."""
        others = [one for one in self._open if one.last_us < frame.start_us and one.may_be_misread(text)]
        for misread in others:
            text.absorb(misread, self._gap_us)
            self._open.remove(misread)

    def _settle(self, is_certain: Callable[[OpenText], bool]) -> None:
        """Join texts that are no misreadings with the same texts before a pause."""
        within_us = self._interval.gap_us(TEXT_MEMORY_US)
        for text in [one for one in self._open if not one.is_settled and is_certain(one)]:
            text.is_settled = True
            earlier = [one for one in self._open if one.is_settled and text.goes_on_with(one, within_us)]
            if earlier:
                max(earlier, key=lambda one: one.last_us).absorb(text, self._gap_us)
                self._open.remove(text)

    def _close(self, is_over: Callable[[OpenText], bool]) -> None:
        for text in self._open:
            if is_over(text):
                self._ended.add(text.intervals.in_view_us, (text.order, text.summary()))
        self._open = [text for text in self._open if not is_over(text)]
