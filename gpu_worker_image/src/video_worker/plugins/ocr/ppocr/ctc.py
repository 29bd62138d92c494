"""The text of a line from the recognition model's output, by connectionist temporal classification."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from video_worker.inference.openvino_session import FloatTensor

_NO_CHARACTER = 0


@dataclass(frozen=True, slots=True)
class Character:
    """A character that was read.

    Parameters
    ----------
    probability
        0-1.
    first, last
        The steps of the model's output in which it was seen; steps divide the line into equal columns.
    """

    text: str
    probability: float
    first: int
    last: int


def decode(output: FloatTensor, characters: Sequence[str]) -> list[Character]:
    """The characters of a line; ``output`` is steps x characters. Equal neighbours are one character."""
    best = output.argmax(axis=1)
    starts = np.flatnonzero(np.diff(best, prepend=-1))
    ends = np.append(starts[1:], len(best)) - 1
    return [
        Character(
            characters[best[first]], float(output[first : last + 1, best[first]].max()), int(first), int(last)
        )
        for first, last in zip(starts, ends, strict=True)
        if best[first] != _NO_CHARACTER
    ]
