"""Write a file of one line for each frame, and its index (`video_jobs.domain.results` has the format)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from video_jobs.domain.results import (
    END_FRAME,
    INDEX_HEAD,
    INDEX_MAGIC,
    INDEX_RECORD,
    INDEX_VERSION,
    SEPARATOR,
)

_RECORDS_A_READ = 1 << 12


class IndexedLines:
    """Takes the lines in order; what follows the last one is written to ``body`` after `close`.

    Parameters
    ----------
    body, records
        The file and its index; the index must be readable.
    head
        What stands before the first line.
    """

    def __init__(self, body: BinaryIO, records: BinaryIO, head: bytes) -> None:
        self._body, self._records = body, records
        records.write(INDEX_HEAD.pack(INDEX_MAGIC, INDEX_VERSION))
        self._position = body.write(head)
        self.count = 0

    def write(self, frame_index: int, time_us: int, line: bytes) -> None:
        """Write the line of the next frame."""
        if self.count:
            self._body.write(SEPARATOR)
        self._records.write(INDEX_RECORD.pack(frame_index, self._position, time_us))
        self._position += self._body.write(line) + len(SEPARATOR)
        self.count += 1

    def close(self) -> None:
        """Write the record that closes the index."""
        self._records.write(INDEX_RECORD.pack(END_FRAME, self._position, 0))

    def times_us(self) -> Iterator[int]:
        """The times of all frames, read back from the index: memory must not grow with the video."""
        self._records.seek(INDEX_HEAD.size)
        while block := self._records.read(_RECORDS_A_READ * INDEX_RECORD.size):
            for frame_index, _, time_us in INDEX_RECORD.iter_unpack(block):
                if frame_index != END_FRAME:
                    yield time_us
