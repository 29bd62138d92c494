"""Where exports write to, and how they write numbers."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, TypeAlias

from video_jobs_client.files import PathOrName, replacing

Target: TypeAlias = "PathOrName | TextIO"
"""A path, or an open text file."""


@contextmanager
def opened(target: Target) -> Iterator[TextIO]:
    """A text file to write to. A path is replaced at the end; if something fails, it stays as it was."""
    if not isinstance(target, (str, os.PathLike)):
        yield target
        return
    with replacing(target) as unfinished, unfinished.open("w", encoding="utf-8", newline="") as file:
        yield file


def json_of(value: Any) -> str:
    """One line of JSON with sorted keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def rounded(value: float, decimals: int = 3) -> float:
    """Differences of coordinates without the noise of binary fractions; no negative zero."""
    return round(value, decimals) + 0.0


def plain(value: float, decimals: int = 3) -> str:
    """A number without an exponent, and without zeros at its end."""
    text = f"{rounded(value, decimals):.{decimals}f}"
    return text.rstrip("0").rstrip(".")
