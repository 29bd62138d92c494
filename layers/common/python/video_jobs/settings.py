"""Settings, typed, from environment variables. The only place that reads ``os.environ``."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_network
from typing import Annotated, Any, Literal, Self, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from video_jobs.domain.errors import SettingError
from video_jobs.domain.pipelines import BUILT_IN
from video_jobs.domain.rules import Rules

GPU_FRAMES_AT_ONCE = 16
"""Enough that a batch of frames waits for the GPU while another is computed."""

Positive = Annotated[int, Meta(ge=1)]
NotNegative = Annotated[int, Meta(ge=0)]

_DEFAULT = Rules()
_FIELD = re.compile(r"`(?:\$\.)?([a-z0-9_]+)`$")


class EnvironmentSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Base of settings classes: a field ``lease_s`` is read from the variable ``LEASE_S``.

    The text below a field is its line in docs/configuration.md.
    """

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read every field; an empty variable counts as not set.

        Raises
        ------
        SettingError
            Naming the variable that is missing or has a wrong value.
        """
        source = os.environ if environment is None else environment
        found = {name: source.get(name.upper(), "") for name in cls.__struct_fields__}
        given = {name: text for name, text in found.items() if text}
        try:
            return msgspec.convert(given, cls, strict=False)
        except msgspec.ValidationError as exc:
            raise _setting_error(cls, str(exc), given) from None


def _setting_error(settings: type, reason: str, given: Mapping[str, str]) -> SettingError:
    """The error in words of the environment; the library names the field at the end of its sentence."""
    field = _FIELD.search(reason)
    if field is None:
        return SettingError(reason)
    name = field.group(1)
    if name not in given:
        return SettingError(f"Set the environment variable {name.upper()}")
    wanted = _in_words(get_type_hints(settings, include_extras=True)[name])
    return SettingError(f"{name.upper()} must be {wanted}, not {given[name]!r}")


def _in_words(hint: Any) -> str:
    """What values a type takes."""
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(get_args(hint))
    if get_origin(hint) is Annotated:
        return f"a whole number of at least {hint.__metadata__[0].ge}"
    return {int: "a whole number", float: "a number", bool: "true or false"}.get(hint, "a text")


class ServiceSettings(EnvironmentSettings, frozen=True, kw_only=True):
    """What the functions and the worker share."""

    table_name: str
    """DynamoDB table of the jobs."""
    bucket_name: str
    """S3 bucket of videos and results."""
    jobs_queue_url: str = ""
    """SQS FIFO queue that wakes the workers."""
    queue_order: Literal["job", "strict"] = "job"
    """``job``: jobs run side by side; ``strict``: one global line."""
    event_bus_name: str = "default"
    """EventBridge bus that is told of jobs that ended."""
    webhooks_queue_url: str = ""
    """SQS queue of webhooks that are still to be delivered."""
    webhook_attempts: Positive = _DEFAULT.webhook_attempts
    """Calls of a webhook before it is given up."""
    webhook_secret_prefix: str = "video-jobs/webhooks/"  # noqa: S105 - a prefix of names
    """Secrets Manager: webhook secrets are named by this and the owner."""
    webhook_networks: str = ""
    """Networks (CIDR, separated by spaces) that webhooks may reach although they are not public."""
    aws_region: str = "us-east-1"
    """Region of all of the above."""
    pipeline_ids: str = " ".join(BUILT_IN)
    """Pipelines that a job may ask for, separated by spaces."""
    max_body_bytes: Positive = _DEFAULT.max_body_bytes
    """Largest MP4 in a request body."""
    max_upload_bytes: Positive = _DEFAULT.max_upload_bytes
    """Largest MP4 of a presigned upload."""
    max_multipart_bytes: Positive = _DEFAULT.max_multipart_bytes
    """Largest MP4 of an upload in parts; the worker's disk must hold it."""
    upload_expires_s: Positive = 900
    """How long a presigned upload is valid."""
    download_expires_s: Positive = 900
    """How long a presigned download is valid."""
    max_answer_bytes: Annotated[int, Meta(ge=1000)] = _DEFAULT.max_answer_bytes
    """Largest results answer, encoded."""
    part_frames: Positive = _DEFAULT.part_frames
    """Processed frames in a part, the unit of resuming."""
    retention_days: Positive = 30
    """How long an ended job is kept."""
    max_crashes: Positive = _DEFAULT.max_crashes
    """Workers that may vanish on one job before it fails."""

    def __post_init__(self) -> None:
        for network in self.webhook_networks.split():
            try:
                ip_network(network)
            except ValueError as exc:
                raise SettingError(f"WEBHOOK_NETWORKS: {exc}; separate networks by spaces") from None

    @property
    def rules(self) -> Rules:
        """The rules that the use cases go by."""
        return Rules(
            known_pipelines=frozenset(self.pipeline_ids.split()),
            max_body_bytes=self.max_body_bytes,
            max_upload_bytes=self.max_upload_bytes,
            max_multipart_bytes=self.max_multipart_bytes,
            upload_expires=timedelta(seconds=self.upload_expires_s),
            download_expires=timedelta(seconds=self.download_expires_s),
            max_answer_bytes=self.max_answer_bytes,
            part_frames=self.part_frames,
            keep=timedelta(days=self.retention_days),
            max_crashes=self.max_crashes,
            webhook_attempts=self.webhook_attempts,
            webhook_networks=tuple(self.webhook_networks.split()),
        )


class WorkerSettings(EnvironmentSettings, frozen=True, kw_only=True):
    """What only the worker reads."""

    model_path: str
    """Path of the detection model: any format Ultralytics loads."""
    detector_backend: Literal["auto", "openvino", "ultralytics"] = "auto"
    """``auto``: openvino for an OpenVINO export on the CPU, otherwise ultralytics."""
    device: str = "cpu"
    """Device of the detector: cpu, or as Ultralytics names it (0, cuda:0)."""
    precision: Literal["f32", "f16"] = "f32"
    """Precision of the detector's float layers."""
    confidence_threshold: float = 0.25
    """Detections below this confidence are dropped."""
    iou_threshold: float = 0.7
    """Overlap above which the weaker of two boxes is dropped."""
    frame_threads: NotNegative = 0
    """Frames worked on at once; 0: one a core, 16 on a GPU."""
    detector_batch: NotNegative = 0
    """Frames in a batch on a GPU; 0: 1 on a CPU, 8 on a GPU."""
    inference_threads: NotNegative = 0
    """CPU threads of the detector; 0: one a core."""
    ocr_engine: Literal["auto", "tesserocr", "pytesseract"] = "auto"
    """``auto``: tesserocr where it is installed, otherwise pytesseract."""
    ocr_language: str = "eng"
    """Tesseract language of the text to read."""
    ocr_layout: Literal["auto", "lines", "page"] = "auto"
    """``lines``: find lines of text, read each; ``page``: Tesseract's own layout; ``auto``: by the frame."""
    ocr_page_segmentation: NotNegative = 3
    """Tesseract's page segmentation mode (psm) for a page; 3: automatic, 11: sparse text."""
    ocr_min_confidence: float = 65.0
    """Words read with less confidence (0-100) are dropped."""
    ocr_change_gate: bool = True
    """Text whose pixels did not change is not read again; false: every frame is read."""
    ocr_region_classes: str = "plate sign"
    """Classes whose boxes yolo_ocr_regions reads, separated by spaces."""
    tessdata_dir: str = ""
    """Folder of *.traineddata; empty: the installed tessdata package."""
    plugins_dir: str = ""
    """A folder of further plugins."""
    pipelines_dir: str = ""
    """A folder of further pipelines."""
    lease_s: Annotated[int, Meta(ge=3)] = 60
    """A worker silent for this long has lost its job."""
    heartbeat_s: Positive = 10
    """Pause between heartbeats; well below LEASE_S."""
    max_failures: Positive = 3
    """Transient failures of one job before it fails."""
    retry_delay_s: NotNegative = 5
    """First pause before a retry; doubles each time."""
    job_limit_s: Positive = 11 * 3600
    """Wall time of one attempt."""
    job_memory_mib: Positive = 6144
    """Resident memory of the analysing process, models included."""
    job_cpu_s: Positive = 48 * 3600
    """CPU time of one attempt, over all threads."""
    frame_limit_s: Positive = 120
    """Wall time without a finished frame."""
    max_frame_pixels: Positive = 8192 * 4320
    """Largest frame, width times height."""
    poll_wait_s: NotNegative = 20
    """Long polling of the jobs queue."""
    shutdown_grace_s: NotNegative = 100
    """Time to finish a job after a stop signal."""
    ecs_agent_uri: str = ""
    """Set by ECS: the container agent, asked for scale-in protection."""
    work_dir: str = ""
    """Folder for temporary files; empty: the system's."""

    @property
    def frames_at_once(self) -> int:
        """How many frames are worked on at the same time."""
        return self.frame_threads or (GPU_FRAMES_AT_ONCE if self.device != "cpu" else os.cpu_count() or 1)
