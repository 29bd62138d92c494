"""Refuse options that the API does not have, so that no wish of a client is ignored without a word."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from video_jobs.domain.errors import InvalidRequestError

_SHOWN_NAMES = 5
_SHOWN_LENGTH = 40


def check_known(kind: str, names: Iterable[str], known: Collection[str]) -> None:
    """Check that ``known`` has all ``names`` of this kind ("form field").

    Raises
    ------
    InvalidRequestError
        If it has not; the message names the unknown ones.
    """
    unknown = sorted(set(names).difference(known))
    if unknown:
        shown = ", ".join(repr(name[:_SHOWN_LENGTH]) for name in unknown[:_SHOWN_NAMES])
        raise InvalidRequestError(f"Unknown {kind} {shown}; known are {', '.join(sorted(known))}")
