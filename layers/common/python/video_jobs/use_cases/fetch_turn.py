"""One turn of a fetch: what one call of the function does of it.

Chunks go into a multipart upload. All chunks of one upload are of the same content of the file: a turn that
begins at the first byte begins another upload, and one that goes on does so under the same ETag. Therefore
it does no harm if a function that lost the fetch still stores a chunk.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from video_jobs.bindings import Ports
from video_jobs.domain.chunks import chunk_bytes_of
from video_jobs.domain.content_types import DEFAULT_CONTENT_TYPE
from video_jobs.domain.errors import (
    ConflictError,
    FileMissingError,
    SourceInterruptedError,
    SourceTooLargeError,
    SourceTooSlowError,
)
from video_jobs.domain.fetch_changes import keep_fetch
from video_jobs.domain.job import Job, Source
from video_jobs.domain.mp4 import MP4_HEAD_BYTES, check_mp4_head
from video_jobs.domain.rules import Rules
from video_jobs.ports import StoredChunk
from video_jobs.source_ports import SourceAnswer

LEASE = timedelta(minutes=2)
LOOK_AFTER = timedelta(seconds=30)
"""How often the lease is extended, and the speed is looked at."""

TURN = timedelta(minutes=12)
"""After this time a turn ends at the next full chunk; a function may run for 15 minutes."""

MIN_BYTES_PER_S = 128 * 1024
MAX_BEGINNINGS = 5
"""A fetch that would begin again more often is given up."""


class FetchTurn:
    """Fetches a video for its ``job``, which the caller holds.

    Attributes
    ----------
    has_stored
        Whether this turn has stored a chunk.
    """

    def __init__(self, ports: Ports, rules: Rules, job: Job) -> None:
        self.job = job
        self.has_stored = False
        self._ports, self._rules = ports, rules
        self._began_at = self._looked_at = ports.clock.now()
        self._bytes_since_look = 0
        self._chunk_bytes = chunk_bytes_of(rules.max_multipart_bytes)

    @property
    def source(self) -> Source:
        """The source of a job that is fetched."""
        source = self.job.upload.source
        if source is None:
            raise ConflictError
        return source

    def run(self) -> bool:
        """Fetch until the video is whole or the turn is over, and return whether it is whole.

        Raises
        ------
        SourceError, InvalidVideoError
            If the file does not come, or is none that is taken.
        ConflictError, FileMissingError
            If the job, or the upload, was taken away meanwhile.
        """
        check_deadline(self.job, self._ports.clock.now(), self._rules)
        chunks = self._stored_chunks()
        if chunks is None:
            return True
        start = sum(chunk.size_bytes for chunk in chunks)
        with self._ports.source_reader.open(self.source.url, start, self.source.etag) as answer:
            self._check_size(answer.size_bytes or 0)
            if answer.start == 0:
                self._begin(answer.etag)
                chunks = []
            return self._transfer(answer, chunks)

    def _stored_chunks(self) -> list[StoredChunk] | None:
        """The chunks to go on after; None if an earlier turn joined them to the video."""
        upload = self.job.upload
        try:
            stored = self._ports.uploads.list_chunks(upload.key, upload.multipart_id or "")
        except FileMissingError:
            return [] if self._ports.storage.find_file(upload.key) is None else None
        if self.source.etag is None:
            return []
        return [chunk for place, chunk in enumerate(stored, start=1) if chunk.number == place]

    def _begin(self, etag: str | None) -> None:
        """Begin at the first byte, with an upload of its own unless it is the first time."""
        source, upload_id = self.source, self.job.upload.multipart_id or ""
        if source.begun >= MAX_BEGINNINGS:
            raise SourceInterruptedError(
                f"The transfer from the source_url broke off, or the file changed, {MAX_BEGINNINGS} times, "
                "and could not go on where it ended."
            )
        begun = replace(source, etag=etag, begun=source.begun + 1)
        if not source.begun:
            self._keep(begun, upload_id)
            return
        self._keep(source, upload_id)  # whoever lost the fetch must not remove an upload that is in use
        key = self.job.upload.key
        self._ports.uploads.abort(key, upload_id)
        upload_id = self._ports.uploads.create(key, DEFAULT_CONTENT_TYPE)
        try:
            self._keep(begun, upload_id)
        except ConflictError:
            self._ports.uploads.abort(key, upload_id)
            raise

    def _transfer(self, answer: SourceAnswer, chunks: list[StoredChunk]) -> bool:
        key, upload_id = self.job.upload.key, self.job.upload.multipart_id or ""
        size_bytes = answer.start
        for content in self._chunks_of(answer.blocks):
            size_bytes += len(content)
            self._check_size(size_bytes)
            if not chunks:
                check_mp4_head(content[:MP4_HEAD_BYTES])
            chunks = [*chunks, self._ports.uploads.put_chunk(key, upload_id, len(chunks) + 1, content)]
            self.has_stored = True
            if size_bytes != answer.size_bytes and self._is_over(answer):
                return False
        if not chunks:
            check_mp4_head(b"")
        self._ports.uploads.complete(key, upload_id, chunks)
        return True

    def _chunks_of(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        held = bytearray()
        for block in blocks:
            self._look(len(block))
            held += block
            while len(held) >= self._chunk_bytes:
                yield bytes(held[: self._chunk_bytes])
                del held[: self._chunk_bytes]
        if held:
            yield bytes(held)

    def _is_over(self, answer: SourceAnswer) -> bool:
        """Whether the turn is over; then the next one must be able to go on."""
        over = self._ports.clock.now() - self._began_at >= TURN
        if over and answer.etag is None:
            raise SourceTooSlowError(
                "The server of the source_url cannot go on where a transfer ended (it needs ranges and a "
                f"strong ETag); then the video must come within {TURN.seconds // 60} minutes."
            )
        return over

    def _look(self, more_bytes: int) -> None:
        """Now and then, extend the lease, and give up what is too slow."""
        now = self._ports.clock.now()
        self._bytes_since_look += more_bytes
        passed = now - self._looked_at
        if passed < LOOK_AFTER:
            return
        check_deadline(self.job, now, self._rules)
        if self._bytes_since_look < MIN_BYTES_PER_S * passed.total_seconds():
            raise SourceTooSlowError(
                f"The server of the source_url sends less than {MIN_BYTES_PER_S // 1024} KiB a second.",
                may_pass=True,
            )
        self._keep(self.source, self.job.upload.multipart_id or "")
        self._looked_at, self._bytes_since_look = now, 0

    def _keep(self, source: Source, multipart_id: str) -> None:
        now = self._ports.clock.now()
        change = keep_fetch(self.job, source=source, multipart_id=multipart_id, lease=LEASE, now=now)
        self.job = self._ports.jobs.update_status(change)

    def _check_size(self, size_bytes: int) -> None:
        largest = self._rules.max_multipart_bytes
        if size_bytes > largest:
            raise SourceTooLargeError(
                f"The file at the source_url has at least {size_bytes} bytes; at most {largest} are allowed."
            )


def check_deadline(job: Job, now: datetime, rules: Rules) -> None:
    """Check that the job's video may still be fetched.

    Raises
    ------
    SourceTooSlowError
        If the time that the service takes for it is over.
    """
    if now < job.created_at + rules.source_limit:
        return
    limit_min = int(rules.source_limit.total_seconds() / 60)
    raise SourceTooSlowError(
        f"The video was not fetched from the source_url within {limit_min} minutes; upload it instead."
    )
