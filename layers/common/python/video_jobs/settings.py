"""Settings, typed, from environment variables. The only place that reads ``os.environ``."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from ipaddress import ip_network
from typing import Any, Self

from video_jobs.domain.errors import SettingError
from video_jobs.domain.job import DEFAULT_PART_FRAMES
from video_jobs.domain.pipelines import BUILT_IN

GPU_FRAMES_AT_ONCE = 16
"""Enough that a batch of frames waits for the GPU while another is computed."""


def _setting(default: Any = MISSING, *, doc: str, minimum: int | None = None, oneof: str = "") -> Any:
    metadata = {"doc": doc, "minimum": minimum, "oneof": oneof.split()}
    return field(default=default, metadata=metadata)


def _number(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise SettingError(f"{name} must be a whole number, not {text!r}") from None


def _decimal(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise SettingError(f"{name} must be a number, not {text!r}") from None


def _flag(name: str, text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise SettingError(f"{name} must be true or false, not {text!r}")
    return text.lower() == "true"


_PARSERS: Mapping[str, Callable[[str, str], Any]] = {
    "str": lambda _, text: text,
    "int": _number,
    "float": _decimal,
    "bool": _flag,
}


class EnvironmentSettings:
    """Base of settings classes: a field ``lease_s`` is read from the variable ``LEASE_S``."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read every field, or its default.

        Raises
        ------
        SettingError
            Naming the variable, where one is missing or has a wrong value.
        """
        source = os.environ if environment is None else environment
        return cls(**{spec.name: _read(spec, source) for spec in fields(cls)})  # type: ignore[arg-type]


def _read(spec: Any, source: Mapping[str, str]) -> Any:
    name = spec.name.upper()
    text = source.get(name, "")
    if text == "":
        if spec.default is MISSING:
            raise SettingError(f"Set the environment variable {name}: {spec.metadata['doc']}")
        return spec.default
    value = _PARSERS[spec.type](name, text)
    minimum, oneof = spec.metadata["minimum"], spec.metadata["oneof"]
    if minimum is not None and value < minimum:
        raise SettingError(f"{name} must be at least {minimum}, not {value}")
    if oneof and value not in oneof:
        raise SettingError(f"{name} must be one of {', '.join(oneof)}, not {value!r}")
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings(EnvironmentSettings):
    """What the functions and the worker share."""

    table_name: str = _setting(doc="DynamoDB table of the jobs")
    bucket_name: str = _setting(doc="S3 bucket of videos and results")
    jobs_queue_url: str = _setting("", doc="SQS FIFO queue that wakes the workers")
    queue_order: str = _setting(
        "job", oneof="job strict", doc="job: jobs run side by side; strict: one global line"
    )
    event_bus_name: str = _setting("default", doc="EventBridge bus that is told of jobs that ended")
    webhooks_queue_url: str = _setting("", doc="SQS queue of webhooks that are still to be delivered")
    webhook_attempts: int = _setting(8, minimum=1, doc="calls of a webhook before it is given up")
    webhook_secret_prefix: str = _setting(
        "video-jobs/webhooks/", doc="Secrets Manager: webhook secrets are named by this and the owner"
    )
    webhook_networks: str = _setting(
        "", doc="networks (CIDR, separated by spaces) that webhooks may reach although they are not public"
    )
    aws_region: str = _setting("us-east-1", doc="region of all of the above")
    pipeline_ids: str = _setting(
        " ".join(BUILT_IN),
        doc="pipelines that a job may ask for, separated by spaces",
    )
    max_body_bytes: int = _setting(4 * 2**20, minimum=1, doc="largest MP4 in a request body")
    max_upload_bytes: int = _setting(2 * 2**30, minimum=1, doc="largest MP4 of a presigned upload")
    max_multipart_bytes: int = _setting(
        20 * 2**30, minimum=1, doc="largest MP4 of an upload in parts; the worker's disk must hold it"
    )
    upload_expires_s: int = _setting(900, minimum=1, doc="how long a presigned upload is valid")
    download_expires_s: int = _setting(900, minimum=1, doc="how long a presigned download is valid")
    max_answer_bytes: int = _setting(5_500_000, minimum=1000, doc="largest results answer, encoded")
    part_frames: int = _setting(
        DEFAULT_PART_FRAMES, minimum=1, doc="processed frames in a part, the unit of resuming"
    )
    retention_days: int = _setting(30, minimum=1, doc="how long an ended job is kept")
    max_crashes: int = _setting(5, minimum=1, doc="workers that may vanish on one job before it fails")

    def __post_init__(self) -> None:
        for network in self.allowed_webhook_networks:
            try:
                ip_network(network)
            except ValueError as exc:
                raise SettingError(f"WEBHOOK_NETWORKS: {exc}; separate networks by spaces") from None

    @property
    def allowed_webhook_networks(self) -> tuple[str, ...]:
        """The networks that webhooks may reach beside public addresses."""
        return tuple(self.webhook_networks.split())

    @property
    def known_pipelines(self) -> frozenset[str]:
        """The pipelines that a job may ask for."""
        return frozenset(self.pipeline_ids.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings(EnvironmentSettings):
    """What only the worker reads."""

    model_path: str = _setting(doc="path of the detection model: any format Ultralytics loads")
    detector_backend: str = _setting(
        "auto",
        oneof="auto openvino ultralytics",
        doc="auto: openvino for an OpenVINO export on the CPU, otherwise ultralytics",
    )
    device: str = _setting("cpu", doc="device of the detector: cpu, or as Ultralytics names it (0, cuda:0)")
    precision: str = _setting("f32", oneof="f32 f16", doc="precision of the detector's float layers")
    confidence_threshold: float = _setting(0.25, doc="detections below this confidence are dropped")
    iou_threshold: float = _setting(0.7, doc="overlap above which the weaker of two boxes is dropped")
    frame_threads: int = _setting(0, minimum=0, doc="frames worked on at once; 0: one a core, 16 on a GPU")
    detector_batch: int = _setting(0, minimum=0, doc="frames in a batch on a GPU; 0: 1 on a CPU, 8 on a GPU")
    inference_threads: int = _setting(0, minimum=0, doc="CPU threads of the detector; 0: one a core")
    ocr_engine: str = _setting(
        "auto",
        oneof="auto tesserocr pytesseract",
        doc="auto: tesserocr where it is installed, otherwise pytesseract",
    )
    ocr_language: str = _setting("eng", doc="Tesseract language of the text to read")
    ocr_layout: str = _setting(
        "auto",
        oneof="auto lines page",
        doc="lines: find lines of text, read each; page: Tesseract's own layout; auto: by the frame",
    )
    ocr_page_segmentation: int = _setting(
        3, minimum=0, doc="Tesseract's page segmentation mode (psm) for a page; 3: automatic, 11: sparse text"
    )
    ocr_min_confidence: float = _setting(65.0, doc="words read with less confidence (0-100) are dropped")
    ocr_change_gate: bool = _setting(
        True, doc="text whose pixels did not change is not read again; false: every frame is read"
    )
    ocr_region_classes: str = _setting(
        "plate sign", doc="classes whose boxes yolo_ocr_regions reads, separated by spaces"
    )
    tessdata_dir: str = _setting("", doc="folder of *.traineddata; empty: the installed tessdata package")
    plugins_dir: str = _setting("", doc="a folder of further plugins")
    pipelines_dir: str = _setting("", doc="a folder of further pipelines")
    lease_s: int = _setting(60, minimum=3, doc="a worker silent for this long has lost its job")
    heartbeat_s: int = _setting(10, minimum=1, doc="pause between heartbeats; well below LEASE_S")
    max_failures: int = _setting(3, minimum=1, doc="transient failures of one job before it fails")
    retry_delay_s: int = _setting(5, minimum=0, doc="first pause before a retry; doubles each time")
    job_limit_s: int = _setting(11 * 3600, minimum=1, doc="wall time of one attempt")
    job_memory_mib: int = _setting(
        6144, minimum=1, doc="resident memory of the analysing process, models included"
    )
    job_cpu_s: int = _setting(48 * 3600, minimum=1, doc="CPU time of one attempt, over all threads")
    frame_limit_s: int = _setting(120, minimum=1, doc="wall time without a finished frame")
    max_frame_pixels: int = _setting(8192 * 4320, minimum=1, doc="largest frame, width times height")
    poll_wait_s: int = _setting(20, minimum=0, doc="long polling of the jobs queue")
    shutdown_grace_s: int = _setting(100, minimum=0, doc="time to finish a job after a stop signal")
    ecs_agent_uri: str = _setting("", doc="set by ECS: the container agent, asked for scale-in protection")
    work_dir: str = _setting("", doc="folder for temporary files; empty: the system's")

    @property
    def frames_at_once(self) -> int:
        """How many frames are worked on at the same time."""
        return self.frame_threads or (GPU_FRAMES_AT_ONCE if self.device != "cpu" else os.cpu_count() or 1)
