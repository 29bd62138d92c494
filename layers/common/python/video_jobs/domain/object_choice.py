"""What a job may choose of the detection of objects."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ObjectChoice:
    """Which detected objects a job wants; text is not filtered by it.

    Attributes
    ----------
    classes
        Names of the model's classes; empty if all are wanted.
    min_confidence
        The least confidence of an object, 0-1; None if the worker's settings decide.
    """

    classes: tuple[str, ...] = ()
    min_confidence: float | None = None


ALL_OBJECTS = ObjectChoice()
"""All classes, with the confidence that the worker's settings name."""
