"""What a verification found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MOST_DIFFERENCES = 100
"""So many are kept: with another model every frame differs."""


@dataclass(frozen=True, slots=True)
class FrameDifference:
    """A frame that was recomputed with another outcome; ``what`` is a short sentence."""

    frame_index: int
    what: str


@dataclass(frozen=True, slots=True)
class FingerprintDifference:
    """An entry that the job and the local worker do not have in common; None where one lacks it.

    Attributes
    ----------
    name
        The keys that lead to it, joined by dots: ``plugins.yolo.model_sha256``.
    """

    name: str
    of_job: Any
    of_worker: Any


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome.

    Attributes
    ----------
    parts
        Ranges of the parts that were recomputed: the first one, and the one before which the range ends; None
        for the end of the video.
    frames_compared, frames_different
        How many frames were recomputed, or are in the results and should not be; and how many of them differ.
    differences
        The first `MOST_DIFFERENCES` frames that differ.
    fingerprint
        Entries in which the fingerprints differ; empty if they are equal.
    """

    parts: tuple[tuple[int, int | None], ...]
    frames_compared: int
    frames_different: int
    differences: tuple[FrameDifference, ...]
    fingerprint: tuple[FingerprintDifference, ...]

    @property
    def is_equal(self) -> bool:
        """Whether every compared frame has the same bytes."""
        return self.frames_different == 0

    @property
    def is_same_worker(self) -> bool:
        """Whether model, libraries, settings and kind of hardware are those of the job.

        If not, frames may differ although nobody changed the results.
        """
        return not self.fingerprint


def fingerprint_differences(
    of_job: Mapping[str, Any] | None, of_worker: Mapping[str, Any]
) -> tuple[FingerprintDifference, ...]:
    """The entries in which two fingerprints differ; the ``id`` only if nothing else does."""
    left, right = dict(_entries(of_job or {})), dict(_entries(of_worker))
    found = [
        FingerprintDifference(name, left.get(name), right.get(name))
        for name in sorted(left.keys() | right.keys())
        if left.get(name) != right.get(name)
    ]
    return tuple([one for one in found if one.name != "id"] or found)


def _entries(facts: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in facts.items():
        if isinstance(value, Mapping):
            yield from _entries(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value
