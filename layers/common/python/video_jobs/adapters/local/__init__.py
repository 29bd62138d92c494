"""The ports on this machine: files in a folder, and in-memory counterparts of the AWS services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from video_jobs.ports import Clock


def in_memory_makers(clock: Clock) -> dict[str, Callable[[], Any]]:
    """The makers for `video_jobs.bindings.Ports.in_memory`: of every port but those that call others."""
    from video_jobs.adapters.local.memory_accounts import MemoryAccounts
    from video_jobs.adapters.local.memory_fleet import MemoryFleetRepository, MemoryWorkerFleet
    from video_jobs.adapters.local.memory_jobs import MemoryJobRepository
    from video_jobs.adapters.local.memory_metrics import MemoryMetrics
    from video_jobs.adapters.local.memory_notify import (
        MemoryEventBus,
        MemoryWebhookQueue,
        MemoryWebhookSecrets,
    )
    from video_jobs.adapters.local.memory_queue import MemoryQueue
    from video_jobs.adapters.local.memory_segments import MemorySegmentRepository
    from video_jobs.adapters.local.memory_sources import MemorySourceQueue
    from video_jobs.adapters.local.memory_speeds import MemorySpeedRepository
    from video_jobs.adapters.local.memory_storage import MemoryStorage
    from video_jobs.adapters.local.memory_uploads import MemoryMultipartUploads
    from video_jobs.adapters.system import Uuid4Factory

    storage, accounts = MemoryStorage(), MemoryAccounts()
    return {
        "clock": lambda: clock,
        "ids": Uuid4Factory,
        "jobs": lambda: MemoryJobRepository(accounts),
        "accounts": lambda: accounts,
        "storage": lambda: storage,
        "uploads": lambda: MemoryMultipartUploads(storage),
        "queue": lambda: MemoryQueue(clock),
        "events": MemoryEventBus,
        "webhooks": MemoryWebhookQueue,
        "webhook_secrets": MemoryWebhookSecrets,
        "fetches": MemorySourceQueue,
        "metrics": MemoryMetrics,
        "fleet": MemoryWorkerFleet,
        "fleet_records": MemoryFleetRepository,
        "segments": MemorySegmentRepository,
        "speeds": MemorySpeedRepository,
    }
