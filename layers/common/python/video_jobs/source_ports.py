"""The ports for videos that the service fetches from a URL, as protocols."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol


class SourceQueue(Protocol):
    """Holds the fetches that are still to be done; `fetch_source` receives each at least once."""

    def send(self, job_id: str, delay_s: int = 0) -> None:
        """Queue the fetch of a job's video, to be received after at most 15 minutes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceAnswer:
    """What a server sends.

    Attributes
    ----------
    start
        The place of the first byte in the file: the one that was asked for, or 0.
    size_bytes
        Of the whole file; None if the server does not tell.
    etag
        Identifies this content (a strong ETag); None if the server cannot go on from a later byte.
    blocks
        The bytes as they come. It raises a `SourceError` if they break off.
    """

    start: int
    size_bytes: int | None
    etag: str | None
    blocks: Iterator[bytes]


class SourceReader(Protocol):
    """Reads files from servers that clients name."""

    def open(self, url: str, start: int = 0, etag: str | None = None) -> AbstractContextManager[SourceAnswer]:
        """Ask for the file from byte ``start`` on, if its content is still that of ``etag``.

        Raises
        ------
        SourceError
            If the server, or one that it redirects to, may not be called or does not give the file.
        """
        ...
