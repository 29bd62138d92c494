"""The worker's entry point: ``python -m video_worker.runner``."""

from __future__ import annotations

import os
import socket
import sys
from functools import partial
from uuid import uuid4

from aws_lambda_powertools import Logger
from video_jobs.bootstrap import application
from video_jobs.domain.errors import SettingError
from video_jobs.settings import WorkerSettings

from video_worker.analysis import AnalysisService
from video_worker.health import Pulse
from video_worker.heartbeat import Heartbeat
from video_worker.isolation.limits import JobLimits
from video_worker.isolation.service import AnalysisStartError, IsolatedAnalysisService
from video_worker.job_worker import JobWorker
from video_worker.retirement import Retirement, own_task_definition
from video_worker.scale_in_protection import ScaleInProtection
from video_worker.stop_signal import StopSignal

SETTINGS_EXIT_CODE = 2


def main() -> int:
    """Load the models, then work until SIGINT or SIGTERM."""
    logger = Logger()
    try:
        settings = WorkerSettings.from_environment()
        stop = StopSignal(settings.shutdown_grace_s)
        stop.listen()
        limits = JobLimits.from_settings(settings)
        with IsolatedAnalysisService(settings, limits, logger) as analysis:
            _worker(settings, analysis, stop, logger).run_forever()
    except (SettingError, AnalysisStartError) as error:
        logger.error("worker cannot start", action="setting_error", reason=str(error))
        return SETTINGS_EXIT_CODE
    return 0


def _worker(
    settings: WorkerSettings, analysis: AnalysisService, stop: StopSignal, logger: Logger
) -> JobWorker:
    app = application()
    worker_id = f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"
    pulse = Pulse(settings).beat
    protection = ScaleInProtection(settings.ecs_agent_uri, app.ports.clock, logger)
    task_definition = own_task_definition(settings.ecs_container_metadata_uri_v4, logger)
    retirement = Retirement(app, task_definition, protection, stop, logger)

    def on_beat() -> None:
        pulse()
        retirement.look()

    worker = JobWorker(
        worker_id,
        app,
        analysis,
        settings,
        stop,
        logger=logger,
        protection=protection,
        heartbeat_type=partial(Heartbeat, on_beat=on_beat),
        pulse=pulse,
    )
    logger.info("worker ready", action="worker_ready", worker_id=worker_id, model=settings.model_path)
    return worker


if __name__ == "__main__":
    sys.exit(main())
