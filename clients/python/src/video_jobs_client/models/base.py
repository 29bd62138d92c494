"""What all models have in common."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

Rectangle: TypeAlias = tuple[float, float, float, float]
"""Left, top, right and bottom."""
NOT_AS_EXPECTED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding JSON raises if it is none, is not of the wanted type, or is nested too deeply."""


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an answer. Fields that a newer service adds are ignored."""
