"""Typed settings from environment variables. No other module reads ``os.environ``."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from ipaddress import ip_network
from typing import Annotated, Any, Literal, Self, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from video_jobs.domain.accounts import Quotas
from video_jobs.domain.errors import SettingError
from video_jobs.domain.fleet import LONGEST_LEASE, FleetLimits
from video_jobs.domain.pipelines import BUILT_IN
from video_jobs.domain.prices import list_price
from video_jobs.domain.rules import Rules
from video_jobs.domain.text_engines import LANGUAGES

FRAMES_A_CORE = 2
"""Frames take different times, and some wait for the one before them, while others keep the core busy."""

GPU_FRAMES_AT_ONCE = 16
"""Enough for the next batch of frames to be ready while the GPU computes one."""

Positive = Annotated[int, Meta(ge=1)]
NotNegative = Annotated[int, Meta(ge=0)]

_DEFAULT = Rules()
_FIELD = re.compile(r"`(?:\$\.)?([a-z0-9_]+)`$")
_LANGUAGE = re.compile(r"[A-Za-z0-9_/]+")


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
            If a variable is missing or has a wrong value; the message names it.
        """
        source = os.environ if environment is None else environment
        found = {name: source.get(name.upper(), "") for name in cls.__struct_fields__}
        given = {name: text for name, text in found.items() if text}
        try:
            return msgspec.convert(given, cls, strict=False)
        except msgspec.ValidationError as exc:
            raise _setting_error(cls, str(exc), given) from None


def _setting_error(settings: type, reason: str, given: Mapping[str, str]) -> SettingError:
    """The error with the name of the variable; msgspec puts the field's name at the end of its message."""
    field = _FIELD.search(reason)
    if field is None:
        return SettingError(reason)
    name = field.group(1)
    if name not in given:
        return SettingError(f"Set the environment variable {name.upper()}")
    wanted = _in_words(get_type_hints(settings, include_extras=True)[name])
    return SettingError(f"{name.upper()} must be {wanted}, not {given[name]!r}")


def _in_words(hint: Any) -> str:
    """The values that a type accepts, in words."""
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(get_args(hint))
    if get_origin(hint) is Annotated:
        meta, kind = hint.__metadata__[0], _in_words(hint.__origin__)
        return f"{kind} of at least {meta.ge}" + (f" and at most {meta.le}" if meta.le else "")
    return {int: "a whole number", float: "a number", bool: "true or false"}.get(hint, "text")


class ServiceSettings(EnvironmentSettings, frozen=True, kw_only=True):
    """Settings of the functions and the worker."""

    table_name: str
    """DynamoDB table of the jobs."""
    state_table_name: str = ""
    """DynamoDB table of what is no job: number of workers, segments of videos, accounts, speeds of jobs."""
    bucket_name: str
    """S3 bucket of videos and results."""
    jobs_queue_url: str = ""
    """SQS FIFO queue from which the workers receive jobs."""
    queue_order: Literal["job", "strict"] = "job"
    """``job``: jobs run in parallel; ``strict``: one job after the other, in the order of submission."""
    event_bus_name: str = "default"
    """EventBridge bus on which the ends of jobs are published."""
    webhooks_queue_url: str = ""
    """SQS queue of webhooks that are still to be delivered."""
    webhook_attempts: Positive = _DEFAULT.webhook_attempts
    """Attempts to call a webhook before it is given up."""
    webhook_secret_prefix: str = "video-jobs/webhooks/"  # noqa: S105 - a prefix of names
    """Prefix of the names of webhook secrets in Secrets Manager; the owner follows it."""
    webhook_networks: str = ""
    """Networks that webhooks may reach although they are not public: CIDR, separated by spaces."""
    metrics_namespace: str = "VideoJobs"
    """Namespace of the metrics in CloudWatch."""
    worker_cluster: str = ""
    """ECS cluster of the workers."""
    worker_service: str = ""
    """ECS service of the workers; if it is empty, nobody sets their number."""
    worker_max_count: Positive = _DEFAULT.fleet.max_workers
    """Largest number of workers."""
    worker_backlog_per_task: Positive = _DEFAULT.fleet.jobs_per_worker
    """So many jobs may wait for each worker before another worker is started at once."""
    worker_longest_wait_s: Positive = int(_DEFAULT.fleet.longest_wait.total_seconds())
    """A job that waits longer, in seconds, while all workers are busy, starts one more worker."""
    worker_instance_type: str = ""
    """What a worker runs on: an EC2 instance type, or fargate; empty: its price is not known."""
    worker_price_per_hour: Annotated[float, Meta(ge=0, le=1000)] = 0.0
    """US dollars an hour of a worker costs; 0: the list price of WORKER_INSTANCE_TYPE, if it has one."""
    aws_region: str = "us-east-1"
    """AWS region of the table, the bucket, the queues and the event bus."""
    pipeline_ids: str = " ".join(BUILT_IN)
    """Pipelines that a job may ask for, separated by spaces."""
    ocr_languages: str = " ".join(LANGUAGES)
    """Tesseract's languages that a job may ask for, separated by spaces; the worker image must have them."""
    max_body_bytes: Positive = _DEFAULT.max_body_bytes
    """Largest video in a request body, in bytes."""
    max_upload_bytes: Positive = _DEFAULT.max_upload_bytes
    """Largest video that is uploaded with a form, in bytes."""
    max_multipart_bytes: Positive = _DEFAULT.max_multipart_bytes
    """Largest video of a multipart upload or a source_url, in bytes; the worker's disk must hold it."""
    sources_queue_url: str = ""
    """SQS queue of videos that are still to be fetched from a source_url."""
    source_limit_s: Positive = int(_DEFAULT.source_limit.total_seconds())
    """Longest time from the submission until a video is fetched from its source_url, in seconds."""
    upload_expires_s: Positive = 900
    """How long the signature of an upload is valid, in seconds."""
    download_expires_s: Positive = 900
    """How long the signature of a download is valid, in seconds."""
    max_answer_bytes: Annotated[int, Meta(ge=1000)] = _DEFAULT.max_answer_bytes
    """Largest page of results, or summary in an answer, in bytes as Lambda encodes it."""
    part_frames: Positive = _DEFAULT.part_frames
    """Selected pictures in a part; an interrupted job resumes after its last full part."""
    retention_days: Positive = 30
    """How long an ended job is kept, in days."""
    max_crashes: Positive = _DEFAULT.max_crashes
    """A job fails when this many workers have vanished while they ran it."""
    help_from_parts: Positive = _DEFAULT.help_from_parts
    """A job asks other workers for help if so many parts are still to be computed."""
    running_per_owner: NotNegative = 0
    """So many jobs of an owner are in the jobs queue at once, his others wait; 0: WORKER_MAX_COUNT."""
    max_open_jobs: Positive = _DEFAULT.quotas.open_jobs
    """Most jobs of an owner that have not ended."""
    max_uploads_awaited: Positive = _DEFAULT.quotas.uploads_awaited
    """Most jobs of an owner whose video he has still to upload."""
    max_bytes_awaited: Positive = _DEFAULT.quotas.bytes_awaited
    """Most bytes of all videos together that an owner has still to upload, as he announced them."""
    max_submits_per_minute: Positive = _DEFAULT.quotas.submits_a_minute
    """Most jobs that an owner may submit in a minute."""
    max_retries: Positive = _DEFAULT.max_retries
    """How often an owner may retry the same job."""

    def __post_init__(self) -> None:
        for network in self.webhook_networks.split():
            try:
                ip_network(network)
            except ValueError as exc:
                raise SettingError(f"WEBHOOK_NETWORKS: {exc}; separate networks by spaces") from None
        for code in self.ocr_languages.split():
            if not _LANGUAGE.fullmatch(code):
                raise SettingError(f"OCR_LANGUAGES: {code!r} is no code; separate codes by spaces")

    @property
    def rules(self) -> Rules:
        """The rules that the use cases go by."""
        return Rules(
            known_pipelines=frozenset(self.pipeline_ids.split()),
            known_languages=frozenset(self.ocr_languages.split()),
            max_body_bytes=self.max_body_bytes,
            max_upload_bytes=self.max_upload_bytes,
            max_multipart_bytes=self.max_multipart_bytes,
            upload_expires=timedelta(seconds=self.upload_expires_s),
            download_expires=timedelta(seconds=self.download_expires_s),
            max_answer_bytes=self.max_answer_bytes,
            part_frames=self.part_frames,
            source_limit=timedelta(seconds=self.source_limit_s),
            keep=timedelta(days=self.retention_days),
            max_crashes=self.max_crashes,
            help_from_parts=self.help_from_parts,
            fleet=self._fleet_limits,
            worker_usd_per_hour=self._worker_usd_per_hour,
            webhook_attempts=self.webhook_attempts,
            webhook_networks=tuple(self.webhook_networks.split()),
            running_per_owner=self.running_per_owner or self.worker_max_count,
            quotas=self._quotas,
            max_retries=self.max_retries,
        )

    @property
    def _worker_usd_per_hour(self) -> Decimal | None:
        if self.worker_price_per_hour:
            return Decimal(str(self.worker_price_per_hour))
        return list_price(self.worker_instance_type, self.aws_region)

    @property
    def _quotas(self) -> Quotas:
        return Quotas(
            open_jobs=self.max_open_jobs,
            uploads_awaited=self.max_uploads_awaited,
            bytes_awaited=self.max_bytes_awaited,
            submits_a_minute=self.max_submits_per_minute,
        )

    @property
    def _fleet_limits(self) -> FleetLimits:
        return FleetLimits(
            max_workers=self.worker_max_count,
            jobs_per_worker=self.worker_backlog_per_task,
            longest_wait=timedelta(seconds=self.worker_longest_wait_s),
            strict_order=self.queue_order == "strict",
        )


class WorkerSettings(EnvironmentSettings, frozen=True, kw_only=True):
    """Settings of the worker only."""

    model_path: str
    """Path of the detection model, in any format that Ultralytics loads."""
    detector_backend: Literal["auto", "openvino", "ultralytics"] = "auto"
    """``auto``: openvino if the model is an OpenVINO export, otherwise ultralytics."""
    device: str = "cpu"
    """Device of the detector: cpu, or a GPU as Ultralytics names it (0, cuda:0)."""
    precision: Literal["f32", "f16"] = "f32"
    """Precision of the detector's float layers."""
    confidence_threshold: float = 0.25
    """Detections below this confidence are dropped, unless a job sets ``min_confidence``."""
    iou_threshold: float = 0.7
    """Overlap above which the weaker of two boxes is dropped."""
    frame_threads: NotNegative = 0
    """Frames analysed at the same time; 0: two per CPU core, or 16 on a GPU."""
    detector_batch: NotNegative = 0
    """Frames per batch of the ultralytics detector; 0: 1 on a CPU, 8 on a GPU."""
    inference_threads: NotNegative = 0
    """CPU threads of the openvino detector; 0: one per CPU core."""
    ocr_engine: Literal["auto", "ppocr", "tesseract", "tesserocr", "pytesseract"] = "auto"
    """``auto``: ppocr; ``tesseract``: tesserocr if it is installed, otherwise pytesseract."""
    ocr_language: str = "eng"
    """Tesseract's language of the text; several are joined by +."""
    ocr_layout: Literal["auto", "lines", "page"] = "auto"
    """``lines``: find lines and read each; ``page``: Tesseract's layout; ``auto``: chosen for each frame."""
    ocr_page_segmentation: NotNegative = 3
    """Tesseract's page segmentation mode (psm) for whole pages; 3: automatic, 11: sparse text."""
    ocr_min_confidence: float = 65.0
    """Words read with less confidence (0-100) are dropped."""
    ocr_detection_side: Annotated[int, Meta(ge=160, le=4096)] = 960
    """ppocr searches text in frames whose longer side is at most so many pixels; larger ones are scaled."""
    ocr_scripts: Literal["latin", "all"] = "latin"
    """What ppocr reads: ``latin`` is letters, digits and signs of Latin scripts; ``all`` is slower."""
    ocr_detection_model: str = "int8"
    """ppocr's model that finds text: ``int8``, ``f32``, or the path of an .onnx file or OpenVINO's .xml."""
    ocr_recognition_model: str = ""
    """Path of another model that reads lines, with its characters in it or in a .txt file beside it."""
    ocr_change_gate: bool = True
    """true: text whose pixels did not change is not read again; false: every frame is read."""
    ocr_region_classes: str = "plate sign"
    """Classes whose boxes yolo_ocr_regions reads, separated by spaces."""
    tessdata_dir: str = ""
    """Folder of the *.traineddata files; empty: that of the installed tessdata package."""
    plugins_dir: str = ""
    """Folder of additional plugins."""
    pipelines_dir: str = ""
    """Folder of additional pipelines."""
    lease_s: Annotated[int, Meta(ge=3, le=int(LONGEST_LEASE.total_seconds()))] = 60
    """Seconds without a heartbeat after which a worker loses its job."""
    heartbeat_s: Positive = 10
    """Seconds between heartbeats; well below LEASE_S."""
    max_failures: Positive = 3
    """A job fails when this many of its attempts have ended in a transient error."""
    retry_delay_s: NotNegative = 5
    """Seconds before the first retry; doubled for each further one."""
    job_limit_s: Positive = 11 * 3600
    """Longest wall time of one attempt, in seconds."""
    job_memory_mib: Positive = 6144
    """Most resident memory of the analysing process, models included, in MiB."""
    decoder_memory_mib: Positive = 4096
    """Most resident memory of a decoder, in MiB, besides the pictures that it hands over."""
    job_cpu_s: Positive = 48 * 3600
    """Most CPU time of one attempt, of the decoder and of the analysis each, over all threads, in seconds."""
    frame_limit_s: Positive = 120
    """Longest wall time without a finished frame, in seconds."""
    max_frame_pixels: Positive = 8192 * 4320
    """Largest frame, in pixels (width times height)."""
    poll_wait_s: NotNegative = 20
    """Seconds of long polling on the jobs queue."""
    shutdown_grace_s: NotNegative = 100
    """Seconds in which a running job may still end after a stop signal."""
    ecs_agent_uri: str = ""
    """Address of the ECS container agent, which grants scale-in protection; ECS sets it."""
    ecs_container_metadata_uri_v4: str = ""
    """Address at which ECS tells a task what it was started from; ECS sets it."""
    work_dir: str = ""
    """Folder for temporary files; empty: that of the system."""

    @property
    def frames_at_once(self) -> int:
        """How many frames are analysed at the same time."""
        on_this_device = GPU_FRAMES_AT_ONCE if self.device != "cpu" else FRAMES_A_CORE * (os.cpu_count() or 1)
        return self.frame_threads or on_this_device
