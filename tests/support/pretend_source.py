"""A server of videos that is none: it gives what a test says, and breaks off where a test says."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from video_jobs.domain.errors import SourceError, SourceInterruptedError
from video_jobs.source_ports import SourceAnswer

Fault = SourceError | int
"""An error instead of an answer, or after how many bytes of an answer the transfer breaks off."""


class PretendSource:
    """`video_jobs.source_ports.SourceReader`, of one file.

    Attributes
    ----------
    etag
        Of the file; None if a transfer cannot be continued.
    has_ranges
        Whether the server goes on at a later byte.
    is_declared
        Whether it tells the size.
    faults
        Of the next requests, in turn.
    block_bytes
        The size of the blocks in which it comes.
    on_open, on_block
        Called after each request, and before each block.
    asked
        The URL and the first byte of each request.
    """

    def __init__(self, content: bytes = b"", *, block_bytes: int = 1 << 20) -> None:
        self.content = content
        self.etag: str | None = '"one"'
        self.has_ranges = self.is_declared = True
        self.faults: deque[Fault] = deque()
        self.on_open: Callable[[], object] = lambda: None
        self.on_block: Callable[[], object] = lambda: None
        self.asked: list[tuple[str, int]] = []
        self.block_bytes = block_bytes

    @contextmanager
    def open(self, url: str, start: int = 0, etag: str | None = None) -> Iterator[SourceAnswer]:
        """Give the file, or what is left of the same content."""
        fault = self.faults.popleft() if self.faults else None
        self.asked.append((url, start))
        if isinstance(fault, SourceError):
            raise fault
        begin = start if self.has_ranges and etag is not None and etag == self.etag else 0
        self.on_open()
        yield SourceAnswer(
            start=begin,
            size_bytes=len(self.content) if self.is_declared else None,
            etag=self.etag,
            blocks=self._blocks(self.content[begin:], fault),
        )

    def _blocks(self, content: bytes, breaks_at: int | None) -> Iterator[bytes]:
        for place in range(0, len(content[:breaks_at]), self.block_bytes):
            self.on_block()
            yield content[:breaks_at][place : place + self.block_bytes]
        if breaks_at is not None:
            raise SourceInterruptedError(may_pass=True)
