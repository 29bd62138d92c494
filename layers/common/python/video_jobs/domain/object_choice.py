"""What a job may choose of the detection of objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


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

    def for_plugins(self) -> Mapping[str, Any]:
        """The choice as plugins get it: ``classes`` and ``min_confidence``."""
        return asdict(self)

    @property
    def chosen(self) -> list[str]:
        """The names of the options that are not left to the worker."""
        return [name for name, value in asdict(self).items() if value not in ((), None)]


ALL_OBJECTS = ObjectChoice()
"""All classes, with the confidence that the worker's settings name."""
