"""How far an upload is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from video_jobs_client.protocol.effects import Body


@dataclass(frozen=True, slots=True)
class UploadState:
    """How much has been sent.

    Attributes
    ----------
    sent_bytes
        With ``resumed_bytes``; falls if a part has to be sent again.
    total_bytes
        The size of the video.
    resumed_bytes
        What an earlier, interrupted upload had sent.
    """

    sent_bytes: int
    total_bytes: int
    resumed_bytes: int = 0


class Meter:
    """Counts what is sent, by several threads, and tells one after the other."""

    def __init__(self, total_bytes: int, tell: Callable[[UploadState], None] | None) -> None:
        self._total, self._tell = total_bytes, tell
        self._sent = self._resumed = 0
        self._lock = threading.Lock()

    def resume(self, size_bytes: int) -> None:
        """So much was there already."""
        self._resumed = size_bytes
        self.add(size_bytes)

    def add(self, size_bytes: int) -> None:
        """So much was sent; less than 0 if it has to be sent again."""
        with self._lock:
            self._sent += size_bytes
            if self._tell is not None:
                self._tell(UploadState(self._sent, self._total, self._resumed))

    def measured(self, body: Body) -> Body:
        """The body, counted while it is read; reading it again takes back what was counted before."""
        return _Measured(self, body)


class _Measured:
    def __init__(self, meter: Meter, body: Body) -> None:
        self._meter, self._body = meter, body
        self._counted = 0

    @property
    def size_bytes(self) -> int:
        return self._body.size_bytes

    def chunks(self) -> Iterator[bytes]:
        if self._counted:
            self._meter.add(-self._counted)
            self._counted = 0
        for chunk in self._body.chunks():
            yield chunk
            self._counted += len(chunk)
            self._meter.add(len(chunk))
