"""One adapter for each port, made when it is first used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

from video_jobs.account_ports import AccountRepository
from video_jobs.fleet_ports import FleetRepository, WorkerFleet
from video_jobs.help_ports import SegmentRepository
from video_jobs.notify_ports import EventBus, WebhookQueue, WebhookSecrets, WebhookTransport
from video_jobs.ports import (
    Clock,
    IdFactory,
    JobRepository,
    Metrics,
    MultipartUploads,
    QueueService,
    StorageService,
)
from video_jobs.source_ports import SourceQueue, SourceReader
from video_jobs.speed_ports import SpeedRepository

T = TypeVar("T")


class Port(Generic[T]):
    """An attribute of `Ports` that holds one adapter, which is made when it is first read."""

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
        For each port, by its name, a function that makes its adapter. It is called when the port is
        first used, so that a cold start makes only the adapters that it needs.

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
    fetches = Port[SourceQueue]()
    source_reader = Port[SourceReader]()
    metrics = Port[Metrics]()
    fleet = Port[WorkerFleet]()
    fleet_records = Port[FleetRepository]()
    segments = Port[SegmentRepository]()
    accounts = Port[AccountRepository]()
    speeds = Port[SpeedRepository]()

    def __init__(self, **makers: Callable[[], Any]) -> None:
        self._makers = makers

    @classmethod
    def in_memory(cls, clock: Clock, **makers: Callable[[], Any]) -> Self:
        """The in-memory adapters; ``makers`` replaces or adds some."""
        from video_jobs.adapters.local import in_memory_makers  # the one import of an adapter by a port

        return cls(**(in_memory_makers(clock) | makers))

    def make(self, name: str) -> Any:
        """Make the adapter of one port.

        Raises
        ------
        LookupError
            If nothing was bound to this port.
        """
        if name not in self._makers:
            raise LookupError(f"Nothing is bound to the port {name!r}")
        return self._makers[name]()
