"""What pydantic finds wrong, as sentences of the tools."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError


def faults(error: ValidationError) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """Each fault: its place, and a sentence that names the place and never shows a value."""
    for fault in error.errors(include_url=False, include_context=False, include_input=False):
        place, message = fault["loc"], fault["msg"].removeprefix("Value error, ")
        yield place, f"{'.'.join(map(str, place))}: {message}" if place else message
