"""Readings of lines of text with the errors that readers make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from video_worker.analysis import AnalysedFrame

LOOK_ALIKE = {"0": "O8", "1": "lI7", "5": "S6", "8": "B3", "O": "0Q", "I": "l1", "S": "5", "B": "8", "E": "F"}
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,-'"


@dataclass(frozen=True)
class Line:
    """A line of text at a place (left, top; pixels), in view on frames ``begin`` to ``end`` - 1."""

    text: str
    left: float = 100.0
    top: float = 100.0
    begin: int = 0
    end: int = 10**9
    velocity: float = 0.0


def misread(random: Random, text: str, errors: float) -> tuple[str, float]:
    """A reading with each letter wrong or missing with the chance ``errors``; its confidence (0-100)."""
    letters, wrong = [], 0
    for letter in text:
        if letter == " " or random.random() >= errors:
            letters.append(letter)
            continue
        wrong += 1
        letters.append(random.choice([*LOOK_ALIKE.get(letter, ""), random.choice(LETTERS), ""]))
    sure = random.gauss(92, 4) - 9 * wrong
    return "".join(letters), round(min(99.0, max(30.0, sure)), 2)


def text_frames(
    lines: Sequence[Line], times_ms: Sequence[float], errors: float = 0.0, missed: float = 0.0, seed: int = 1
) -> list[AnalysedFrame]:
    """Frames on which the lines are read."""
    random = Random(seed)
    return [
        AnalysedFrame(index, time_ms, {"blocks": blocks_of(random, lines, index, errors, missed)})
        for index, time_ms in enumerate(times_ms)
    ]


def blocks_of(
    random: Random, lines: Sequence[Line], index: int, errors: float, missed: float
) -> list[dict[str, Any]]:
    blocks = []
    for number, line in enumerate(lines, 1):
        if line.begin <= index < line.end and random.random() >= missed:
            text, confidence = misread(random, line.text, errors)
            left = line.left + line.velocity * (index - line.begin)
            blocks += words(text, left, line.top, confidence, number)
    return blocks


def words(text: str, left: float, top: float, confidence: float, number: int) -> list[dict[str, Any]]:
    """The words of a line as the results have them; a letter is 12 pixels wide and 24 high."""
    found, at = [], left
    for word in text.split(" "):
        box = {"x": round(at), "y": round(top), "width": 12 * len(word), "height": 24}
        if word:
            found.append(
                {
                    "text": word,
                    "confidence": confidence,
                    "bbox": box,
                    "level": 5,
                    "block_num": number,
                    "line_num": 1,
                }
            )
        at += 12 * (len(word) + 1)
    return found


def times(count: int, frames_per_second: float = 25.0) -> list[float]:
    """The times of frames at an even rate."""
    return [round(number * 1000 / frames_per_second, 3) for number in range(count)]
