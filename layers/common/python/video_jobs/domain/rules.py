"""The limits and periods of the service. The settings may change each of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from video_jobs.domain.accounts import Quotas
from video_jobs.domain.fleet import FleetLimits
from video_jobs.domain.job import DEFAULT_PART_FRAMES
from video_jobs.domain.pipelines import BUILT_IN
from video_jobs.domain.text_engines import LANGUAGES

MIB = 2**20
GIB = 2**30


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The limits and periods that the use cases go by.

    Attributes
    ----------
    known_pipelines, known_languages
        What a job may ask for: ids of pipelines, and Tesseract's language codes.
    max_body_bytes, max_upload_bytes, max_multipart_bytes
        Largest video in a request body, in an upload with a form, and in a multipart upload
        or from a ``source_url``.
    upload_expires, download_expires
        How long signed URLs are valid.
    max_answer_bytes
        Largest page of results, or summary in an answer, in bytes as Lambda encodes it.
    source_limit
        How long the service takes at most to fetch a video from a ``source_url``.
    keep
        How long an ended job is kept.
    max_crashes
        A job fails when this many workers have vanished while they ran it.
    webhook_networks
        Networks (CIDR) that webhooks may reach although they are not public.
    fleet
        How many workers there may be, and when one is started or stopped.
    worker_usd_per_hour
        What an hour of a worker costs; None if nobody knows.
    running_per_owner
        So many messages of an owner are in the jobs queue at most; his other jobs wait in the table. In
        strict order (``fleet.strict_order``), all are sent at once.
    quotas
        How much an owner may have.
    max_retries
        How often the owner may ask for a failed job again.
    help_from_parts
        A job asks other workers for help if so many parts are still to be computed.
    """

    known_pipelines: Collection[str] = frozenset(BUILT_IN)
    known_languages: Collection[str] = frozenset(LANGUAGES)
    max_body_bytes: int = 4 * MIB
    max_upload_bytes: int = 2 * GIB
    max_multipart_bytes: int = 20 * GIB
    upload_expires: timedelta = timedelta(seconds=900)
    download_expires: timedelta = timedelta(seconds=900)
    max_answer_bytes: int = 5_500_000
    part_frames: int = DEFAULT_PART_FRAMES
    source_limit: timedelta = timedelta(hours=6)
    keep: timedelta = timedelta(days=30)
    max_crashes: int = 5
    webhook_attempts: int = 8
    webhook_networks: tuple[str, ...] = ()
    fleet: FleetLimits = field(default_factory=FleetLimits)
    worker_usd_per_hour: Decimal | None = None
    running_per_owner: int = 4
    quotas: Quotas = field(default_factory=Quotas)
    max_retries: int = 10
    help_from_parts: int = 8
