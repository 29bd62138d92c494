"""What the use cases need from outside, as protocols; `adapters.aws` and `adapters.local` fulfil them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, Protocol, Self, TypeVar, overload

from video_jobs.domain.changes import Change, Expected
from video_jobs.domain.job import Job
from video_jobs.domain.job_events import JobEvent
from video_jobs.domain.webhooks import WebhookMessage


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The time, timezone-aware, UTC."""
        ...


class IdFactory(Protocol):
    """Makes ids."""

    def new_id(self) -> str:
        """A new UUID in canonical form."""
        ...


@dataclass(frozen=True, slots=True)
class JobPosition:
    """A place in the list of an owner's jobs."""

    created_at: datetime
    job_id: str


class JobRepository(Protocol):
    """Keeps the jobs."""

    def save(self, job: Job) -> None:
        """Store a new job.

        Raises
        ------
        ConflictError
            If there is a job of that id already.
        """
        ...

    def get_by_id(self, job_id: str) -> Job | None:
        """The job as it is now (consistent read), or None."""
        ...

    def update_status(self, change: Change) -> Job:
        """Make one change in one conditional write, and give the job as it is afterwards.

        Raises
        ------
        ConflictError
            If the stored job does not meet ``change.expected``, or is not there.
        """
        ...

    def list_due(self, now: datetime, limit: int) -> list[Job]:
        """Open jobs whose ``due_at`` has come, soonest first, at most ``limit`` of them."""
        ...

    def list_by_owner(self, owner: str, limit: int, after: JobPosition | None = None) -> list[Job]:
        """An owner's jobs, newest first, at most ``limit`` of them, those that follow ``after``."""
        ...

    def delete(self, job_id: str, expected: Expected) -> None:
        """Remove a job; one that is not there (any more) is no error.

        Raises
        ------
        ConflictError
            If the stored job does not meet ``expected``.
        """
        ...


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in the storage: ``version`` names exactly these bytes, ``size_bytes`` is their number."""

    key: str
    version: str | None
    size_bytes: int


@dataclass(frozen=True, slots=True)
class PresignedUpload:
    """What a client needs to upload one file by itself: a form to POST to ``url``."""

    url: str
    fields: Mapping[str, str]
    expires_at: datetime
    max_bytes: int


class StorageService(Protocol):
    """Keeps files. Keys are relative paths; large files never pass through memory whole."""

    def save_file(self, key: str, source: Path, content_type: str) -> StoredFile:
        """Store the file at ``source`` under ``key``; all of it becomes visible at once, or nothing."""
        ...

    def load_file(self, key: str, target: Path, version: str | None = None) -> None:
        """Copy a stored file (one version of it) to ``target``; on any error no ``target`` is left.

        Raises
        ------
        FileMissingError
            If there is no such file or version.
        """
        ...

    def delete_file(self, key: str) -> None:
        """Delete a file; deleting what is not there is no error."""
        ...

    def find_file(self, key: str, version: str | None = None) -> StoredFile | None:
        """What is stored under ``key``, or None."""
        ...

    def read_range(self, key: str, start: int, length: int, version: str | None = None) -> bytes:
        """At most ``length`` bytes from ``start``; fewer at the end of the file."""
        ...

    def list_keys(self, prefix: str) -> Iterator[str]:
        """Keys under ``prefix``, in order."""
        ...

    def presign_upload(
        self,
        key: str,
        *,
        content_type: str,
        max_bytes: int,
        expires_s: int,
        now: datetime,
        checksum_sha256: str | None = None,
    ) -> PresignedUpload:
        """A signed form that uploads exactly this key, of this type and at most this size.

        Parameters
        ----------
        checksum_sha256
            Base64; the storage then refuses any other content.
        """
        ...

    def presign_download(self, key: str, *, expires_s: int, version: str | None = None) -> str:
        """A signed URL to GET the file."""
        ...


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk that was uploaded; numbers start at 1."""

    number: int
    size_bytes: int
    etag: str


class MultipartUploads(Protocol):
    """Uploads of large files in chunks; an unfinished upload is no file yet.

    Every method that takes an ``upload_id``, except `presign_chunk` and `abort`, raises `FileMissingError`
    if that upload does not exist (any more).
    """

    def create(self, key: str, content_type: str) -> str:
        """Begin an upload, and give its id."""
        ...

    def presign_chunk(self, key: str, upload_id: str, number: int, *, size_bytes: int, expires_s: int) -> str:
        """A signed URL to PUT exactly ``size_bytes`` as one chunk."""
        ...

    def list_chunks(self, key: str, upload_id: str) -> list[StoredChunk]:
        """The chunks that were uploaded, by number."""
        ...

    def complete(self, key: str, upload_id: str, chunks: list[StoredChunk]) -> None:
        """Make one file of the chunks."""
        ...

    def abort(self, key: str, upload_id: str) -> None:
        """Remove the upload; one that does not exist is no error."""
        ...


class EventBus(Protocol):
    """Tells others what happened, at least once."""

    def publish(self, event: JobEvent) -> None:
        """Send one event.

        Raises
        ------
        TransientError
            If the bus did not take it.
        """
        ...


class WebhookQueue(Protocol):
    """Holds the calls that are still to be made; each is delivered to `deliver_webhook` at least once."""

    def send(self, message: WebhookMessage) -> None:
        """Queue one call."""
        ...

    def delay(self, receipt: str, seconds: int) -> None:
        """Let a received message come back ``seconds`` from now."""
        ...


class WebhookSecrets(Protocol):
    """The secrets that webhooks are signed with, one an owner."""

    def secret_of(self, owner: str) -> str:
        """The owner's secret; two, separated by a space, while it is replaced.

        Raises
        ------
        WebhookSecretError
            If the owner has none.
        """
        ...


class WebhookTransport(Protocol):
    """Makes the calls."""

    def post(self, url: str, headers: Mapping[str, str], body: str) -> int:
        """POST to a checked address, follow no redirect, and give the HTTP status (always 2xx).

        Raises
        ------
        WebhookDeliveryError
            If the address may not be called, or it did not answer 2xx in time.
        """
        ...


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """A message that this consumer holds until its visibility ends."""

    body: str
    generation: int
    receipt: str
    receive_count: int = 1


class QueueService(Protocol):
    """The jobs queue: first in, first out; a message not acknowledged in time comes back."""

    def enqueue(self, job_id: str, generation: int) -> None:
        """Send a job; the same job and generation within five minutes is sent once."""
        ...

    def dequeue(self, *, wait_s: int = 0, visibility_s: int = 60) -> QueueMessage | None:
        """The next message, waiting up to ``wait_s`` for one, or None."""
        ...

    def size(self) -> int:
        """How many messages wait to be received (on SQS an approximation)."""
        ...

    def acknowledge(self, message: QueueMessage) -> None:
        """Done with this message: it never comes back.

        Raises
        ------
        ReceiptExpiredError
            If its visibility ended, so that another consumer may hold it.
        """
        ...

    def extend(self, message: QueueMessage, visibility_s: int) -> None:
        """Hold the message for ``visibility_s`` from now.

        Raises
        ------
        ReceiptExpiredError
            If its visibility ended already.
        """
        ...

    def return_message(self, message: QueueMessage, delay_s: int = 0) -> None:
        """Let others have the message, ``delay_s`` from now, in its old place in the line."""
        ...


T = TypeVar("T")


class Port(Generic[T]):
    """A place in `Ports` for one adapter, which is made when it is first asked for."""

    def __set_name__(self, owner: type[Ports], name: str) -> None:
        self._name = name

    @overload
    def __get__(self, ports: None, owner: type[Ports]) -> Self: ...

    @overload
    def __get__(self, ports: Ports, owner: type[Ports]) -> T: ...

    def __get__(self, ports: Ports | None, owner: type[Ports]) -> Self | T:
        if ports is None:
            return self
        adapter: T = ports.make(self._name)
        vars(ports)[self._name] = adapter
        return adapter


class Ports:
    """All ports of the application, bound once.

    Parameters
    ----------
    makers
        Makes the adapter of each port, by the name of the port. A function that needs few ports
        pays for few adapters.

    Examples
    --------
    >>> from video_jobs.adapters.system import SystemClock
    >>> ports = Ports.in_memory(SystemClock())
    >>> ports.queue.size()
    0
    """

    clock = Port[Clock]()
    ids = Port[IdFactory]()
    jobs = Port[JobRepository]()
    storage = Port[StorageService]()
    uploads = Port[MultipartUploads]()
    queue = Port[QueueService]()
    events = Port[EventBus]()
    webhooks = Port[WebhookQueue]()
    webhook_secrets = Port[WebhookSecrets]()
    webhook_transport = Port[WebhookTransport]()

    def __init__(self, **makers: Callable[[], Any]) -> None:
        self._makers = makers

    @classmethod
    def in_memory(cls, clock: Clock, **makers: Callable[[], Any]) -> Self:
        """The local adapters, all in this process; ``makers`` replaces some of them."""
        from video_jobs.adapters.local import in_memory_makers  # the one import of an adapter by a port

        return cls(**(in_memory_makers(clock) | makers))

    def make(self, name: str) -> Any:
        """A new adapter for one port.

        Raises
        ------
        LookupError
            If nothing was bound to this port.
        """
        if name not in self._makers:
            raise LookupError(f"Nothing is bound to the port {name!r}")
        return self._makers[name]()
