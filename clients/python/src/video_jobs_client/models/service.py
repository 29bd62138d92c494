"""What the service offers, and what a job would take."""

from __future__ import annotations

from video_jobs_client.models.base import Model


class Pipeline(Model, frozen=True):
    """What a job may ask for."""

    pipeline_id: str
    description: str | None
    is_default: bool


class TextEngine(Model, frozen=True):
    """What a job may ask for as ``text_engine``.

    One engine reads certain scripts (ISO 15924), the other one the ``languages`` that a job asks for.
    """

    id: str
    name: str
    scripts: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None


class Pipelines(Model, frozen=True):
    """All of them; a job that asks for no ``text_engine`` gets the one that the workers are set to."""

    pipelines: tuple[Pipeline, ...]
    text_engines: tuple[TextEngine, ...]


class QuotedEnd(Model, frozen=True):
    """Half of the jobs end within ``p50`` seconds after their video has arrived, 95 % within ``p95``."""

    p50: float | None
    p95: float | None


class QuotedVideo(Model, frozen=True):
    """The video that is reckoned with: ``frames`` is how many frames the options choose of it.

    ``assumed`` names those of the other values that the request lacked. They are those of the average video
    among the jobs of ``based_on``.
    """

    size_bytes: int | None
    duration_ms: float
    average_frame_rate: float
    frames: int
    assumed: tuple[str, ...]


class QuoteBasis(Model, frozen=True):
    """What a quote rests on: how fast earlier jobs were, and what is before a new one.

    ``fingerprint`` is that of the last job of this pipeline with this choice of text, ``size_class`` the
    class of the pictures; ``jobs`` of both were measured, with ``frames`` in all. If the request has no
    ``width`` and ``height``, it is the class that most jobs had.
    """

    fingerprint: str | None
    size_class: str | None
    jobs: int
    frames: int
    jobs_waiting: int
    jobs_running: int
    workers: int


class Quote(Model, frozen=True):
    """What a job would take; null where nothing like it was measured yet, or no price is known.

    ``compute_seconds`` is how long a worker would be occupied, ``cost_usd`` that time by the price of a
    worker.
    """

    compute_seconds: float | None
    cost_usd: float | None
    seconds_to_end: QuotedEnd
    video: QuotedVideo | None
    based_on: QuoteBasis


class Health(Model, frozen=True):
    """The service answers."""

    status: str


class Problem(Model, frozen=True):
    """An error (RFC 9457); ``code`` is a stable word, ``detail`` says what to do."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
