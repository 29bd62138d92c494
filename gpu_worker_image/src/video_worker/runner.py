"""The worker's entry point: ``python -m video_worker.runner``."""

from __future__ import annotations

import os
import signal
import socket
import sys
from types import FrameType
from uuid import uuid4

from aws_lambda_powertools import Logger
from video_jobs.bootstrap import aws_services
from video_jobs.domain.errors import SettingError
from video_jobs.settings import WorkerSettings

from video_worker.job_worker import JobWorker, StopSignal, WorkerLimits, WorkerPorts
from video_worker.pipeline_service import VideoFilePipelineService

SETTINGS_EXIT_CODE = 2


def main() -> int:
    """Load the models, then work until SIGINT or SIGTERM."""
    logger = Logger()
    try:
        settings = WorkerSettings.from_environment()
        services = aws_services()
        pipelines = VideoFilePipelineService.from_settings(settings)
        stop = StopSignal(settings.shutdown_grace_s)
        _stop_on_signals(stop)
        pipelines.warm_up()
        ports = WorkerPorts(
            jobs=services.jobs, storage=services.storage, queue=services.queue, clock=services.clock
        )
    except SettingError as error:
        logger.error("worker cannot start", action="setting_error", reason=error.message)
        return SETTINGS_EXIT_CODE
    worker_id = f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"
    limits = WorkerLimits(max_crashes=services.settings.max_crashes, keep=services.keep)
    logger.info("worker ready", action="worker_ready", worker_id=worker_id, model=settings.model_path)
    JobWorker(worker_id, ports, pipelines, settings, limits, stop, logger).run_forever()
    return 0


def _stop_on_signals(stop: StopSignal) -> None:
    def on_signal(_signum: int, _frame: FrameType | None) -> None:
        stop.request()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)


if __name__ == "__main__":
    sys.exit(main())
