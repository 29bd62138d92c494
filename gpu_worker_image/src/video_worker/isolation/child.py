"""The analysing process, which loads the models once and then serves one request after the other."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import traceback
from contextlib import ExitStack, suppress
from multiprocessing.connection import Connection

from aws_lambda_powertools import Logger
from video_jobs.domain.errors import VideoJobsError
from video_jobs.settings import WorkerSettings

from video_worker.analysis import AnalysisService, RunRequest
from video_worker.isolation.messages import (
    EndRun,
    Failed,
    FingerprintRequest,
    Ready,
    RunEnded,
    RunOpened,
)

_PR_SET_PDEATHSIG = 1
_OPENCV_NO_MEMORY = -4


def main(descriptor: int, parent_pid: int) -> None:
    """Take the settings from the worker, then answer its requests until the other end is closed."""
    _live_and_die_with(parent_pid)
    with Connection(descriptor) as connection, suppress(EOFError):
        _serve(connection, connection.recv())


def _serve(connection: Connection, settings: WorkerSettings) -> None:
    try:
        with ExitStack() as at_the_end:
            service = _load(settings, at_the_end)
            connection.send(Ready())
            while True:
                _serve_one(connection, service)
    except (EOFError, BrokenPipeError):
        return
    except Exception as error:  # noqa: BLE001 - the parent must learn of any error
        connection.send(_failed(error))


def _load(settings: WorkerSettings, at_the_end: ExitStack) -> AnalysisService:
    """The pipelines with their models, which get their pictures from confined decoders."""
    # imported here, so that the parent stays free of OpenCV, FFmpeg and the models
    from video_worker.pipeline_service import VideoFilePipelineService
    from video_worker.sandbox.limits import DecoderLimits
    from video_worker.sandbox.sandboxed_videos import SandboxedVideos

    videos = at_the_end.enter_context(SandboxedVideos(DecoderLimits.from_settings(settings), Logger()))
    service = VideoFilePipelineService.from_settings(settings, open_video=videos.open)
    service.warm_up()
    videos.prepare()  # it has warmed up meanwhile
    return service


def _serve_one(connection: Connection, service: AnalysisService) -> None:
    request = connection.recv()
    if isinstance(request, EndRun):
        return
    try:
        _answer(request, service, connection)
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - no request ends the process
        connection.send(_failed(error))


def _answer(
    request: FingerprintRequest | RunRequest, service: AnalysisService, connection: Connection
) -> None:
    if isinstance(request, FingerprintRequest):
        connection.send(service.fingerprint(request.pipeline_id, request.text))
        return
    run = service.run(request)
    opened = RunOpened(run.video, run.warnings, run.frames_total, run.complete_parts, run.part_ranges)
    connection.send(opened)
    for item in run:
        connection.send(item)
        if connection.poll():
            run.close()
            break
    connection.send(RunEnded())


def _failed(error: Exception) -> Failed:
    if isinstance(error, VideoJobsError):
        return Failed(error, type(error).__name__, "")
    no_memory = isinstance(error, MemoryError) or getattr(error, "code", None) == _OPENCV_NO_MEMORY
    return Failed(None, type(error).__name__, "".join(traceback.format_exception(error)), no_memory)


def _live_and_die_with(parent_pid: int) -> None:
    """Ignore a terminal's Ctrl-C, and be killed when the parent dies, even if SIGKILL ends it."""
    os.setsid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:  # the parent died before the call above
        os._exit(1)
