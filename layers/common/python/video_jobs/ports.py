"""The ports: what the use cases need from outside, as protocols.

`adapters.aws` and `adapters.local` implement them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from video_jobs.domain.accounts import Move
from video_jobs.domain.changes import Change, Expected
from video_jobs.domain.job import Job
from video_jobs.domain.metrics import Values


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The current time, timezone-aware, in UTC."""
        ...


class IdFactory(Protocol):
    """Makes ids."""

    def new_id(self) -> str:
        """A new UUID in canonical form."""
        ...


@dataclass(frozen=True, slots=True)
class JobPosition:
    """A position in the list of an owner's jobs."""

    created_at: datetime
    job_id: str


class JobRepository(Protocol):
    """Stores the jobs."""

    def save(self, job: Job, move: Move | None = None) -> None:
        """Store a new job, and make its ``move`` in its owner's account; both or nothing.

        Raises
        ------
        ConflictError
            If a job with this id exists already.
        QuotaError
            If the owner would have more than he may.
        """
        ...

    def get_by_id(self, job_id: str) -> Job | None:
        """The job as it is now (consistent read), or None."""
        ...

    def list_by_ids(self, job_ids: Iterable[str]) -> list[Job]:
        """Those of these jobs that exist, as they are now (consistent reads), in any order."""
        ...

    def update_status(self, change: Change) -> Job:
        """Make one change in one conditional write, and return the changed job.

        A change with a move is made together with that of the owner's account, in one transaction.

        Raises
        ------
        ConflictError
            If the stored job does not meet ``change.expected``, or does not exist.
        TurnError, QuotaError
            If the account does not allow the move.
        """
        ...

    def list_due(self, now: datetime) -> Iterator[Job]:
        """Open jobs whose ``due_at`` is not after ``now``: by `Job.due_rank`, and then the earliest first.

        They are read as they are asked for, so that the first ones cost no more if many are due.
        """
        ...

    def list_accepted(self, after: datetime, until: datetime, limit: int) -> list[Job]:
        """At most ``limit`` open jobs with a video that do not wait for a turn, and whose ``due_at`` lies
        behind ``after`` and not behind ``until``, the earliest first."""
        ...

    def count_waiting(self, until: datetime, limit: int) -> int:
        """How many jobs wait for a turn and are due until then; they are counted up to ``limit``."""
        ...

    def list_by_owner(self, owner: str, limit: int, after: JobPosition | None = None) -> list[Job]:
        """At most ``limit`` jobs of an owner, newest first, starting behind ``after``."""
        ...

    def delete(self, job_id: str, expected: Expected) -> None:
        """Remove a job. Removing a job that does not exist is no error.

        Raises
        ------
        ConflictError
            If the stored job does not meet ``expected``.
        """
        ...


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in the storage; ``version`` identifies exactly this content."""

    key: str
    version: str | None
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadTerms:
    """What a file must be to be uploaded with a form, and how long it may be.

    Attributes
    ----------
    max_bytes
        Its greatest size.
    checksum_sha256
        Base64 of the file's SHA-256. If it is given, the storage refuses any other content.
    """

    content_type: str
    max_bytes: int
    expires_s: int
    checksum_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class PresignedUpload:
    """A form that a client POSTs to ``url`` to upload one file."""

    url: str
    fields: Mapping[str, str]
    expires_at: datetime
    max_bytes: int


class StorageService(Protocol):
    """Stores files under keys, which are relative paths. A file is never read into memory as a whole."""

    def save_file(self, key: str, source: Path, content_type: str) -> StoredFile:
        """Store the file at ``source`` under ``key``; readers see either the whole file or nothing."""
        ...

    def load_file(self, key: str, target: Path, version: str | None = None) -> None:
        """Copy a stored file, or one version of it, to ``target``; after an error, no ``target`` is left.

        Raises
        ------
        FileMissingError
            If there is no such file or version.
        """
        ...

    def load_ranges(
        self, key: str, target: Path, ranges: Iterable[tuple[int, int]], version: str | None = None
    ) -> None:
        """Copy some ranges (start and end) of a stored file to their places in ``target``.

        It gets the size of the whole file; its rest takes no room on the disk, and reads as zeros. What of a
        range is not in the file is left out. After an error, no ``target`` is left.

        Raises
        ------
        FileMissingError
            If there is no such file or version.
        """
        ...

    def delete_file(self, key: str) -> None:
        """Delete a file. Deleting a file that does not exist is no error."""
        ...

    def delete_files(self, keys: Iterable[str]) -> None:
        """Delete many files, in as few requests as possible; ``keys`` is read while files are deleted.

        Raises
        ------
        TransientError
            If some were not deleted; a repeated call deletes them.
        """
        ...

    def find_file(self, key: str, version: str | None = None) -> StoredFile | None:
        """The file that is stored under ``key``, or None."""
        ...

    def read_range(self, key: str, start: int, length: int, version: str | None = None) -> bytes:
        """Read ``length`` bytes from ``start`` on; fewer if the file ends before."""
        ...

    def list_keys(self, prefix: str) -> Iterator[str]:
        """The keys that begin with ``prefix``, sorted."""
        ...

    def presign_upload(self, key: str, terms: UploadTerms, now: datetime) -> PresignedUpload:
        """Sign a form that uploads one file to this key, and only on these terms."""
        ...

    def presign_download(self, key: str, *, expires_s: int, version: str | None = None) -> str:
        """Sign a URL to GET the file."""
        ...


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk that was uploaded; numbers start at 1."""

    number: int
    size_bytes: int
    etag: str


class MultipartUploads(Protocol):
    """Uploads large files in chunks. The file exists only after its upload was completed.

    Every method that takes an ``upload_id``, except `presign_chunk` and `abort`, raises `FileMissingError`
    if there is no such upload.
    """

    def create(self, key: str, content_type: str) -> str:
        """Begin an upload, and return its id."""
        ...

    def presign_chunk(self, key: str, upload_id: str, number: int, *, size_bytes: int, expires_s: int) -> str:
        """Sign a URL to PUT exactly ``size_bytes`` as one chunk."""
        ...

    def put_chunk(self, key: str, upload_id: str, number: int, content: bytes) -> StoredChunk:
        """Upload one chunk; it replaces one of the same number."""
        ...

    def list_chunks(self, key: str, upload_id: str) -> list[StoredChunk]:
        """The chunks that were uploaded, sorted by number."""
        ...

    def complete(self, key: str, upload_id: str, chunks: list[StoredChunk]) -> None:
        """Join the chunks into one file."""
        ...

    def abort(self, key: str, upload_id: str) -> None:
        """Remove an upload. Removing an upload that does not exist is no error."""
        ...


class Metrics(Protocol):
    """Takes the numbers that alarms and the dashboard show."""

    def record(self, values: Values, *, by: str = "", job_id: str | None = None) -> None:
        """Write some values.

        Parameters
        ----------
        by
            The value of the dimension, for those metrics that have one.
        job_id
            The job that the values belong to.
        """
        ...


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """A received message; until its visibility timeout ends, no other consumer receives it."""

    body: str
    generation: int
    receipt: str
    receive_count: int = 1


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """How many messages of the jobs queue nobody holds, and how many a consumer holds or returned with a
    delay."""

    visible: int
    hidden: int


class QueueService(Protocol):
    """The jobs queue: first in, first out. A message that is not acknowledged in time is delivered again."""

    def enqueue(self, job_id: str, generation: int) -> None:
        """Send a job; the same generation of a job is sent only once within five minutes."""
        ...

    def ask_for_help(self, job_id: str, number: int, attempt: int) -> None:
        """Send a message `HelpMessage` that asks for help with a segment, once for each attempt at the job.

        It is in a message group of its own.
        """
        ...

    def dequeue(self, *, wait_s: int = 0, visibility_s: int = 60) -> QueueMessage | None:
        """Receive the next message, waiting up to ``wait_s`` seconds for one; None if none came."""
        ...

    def size(self) -> int:
        """How many messages are waiting to be received; on SQS, an approximation."""
        ...

    def depth(self) -> QueueDepth:
        """How many messages there are; on SQS, an approximation.

        Raises
        ------
        TransientError
            If the queue did not answer.
        """
        ...

    def acknowledge(self, message: QueueMessage) -> None:
        """Delete a message that was handled, so that it is not delivered again.

        Raises
        ------
        ReceiptExpiredError
            If its visibility timeout has ended, so that another consumer may hold it.
        """
        ...

    def extend(self, message: QueueMessage, visibility_s: int) -> None:
        """Hold the message for ``visibility_s`` seconds from now on.

        Raises
        ------
        ReceiptExpiredError
            If its visibility timeout has ended.
        """
        ...

    def return_message(self, message: QueueMessage, delay_s: int = 0) -> None:
        """Let others receive the message ``delay_s`` seconds from now; it keeps its place in the queue."""
        ...
