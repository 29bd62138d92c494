"""Pipelines in a watched process: if it crashes, hangs or needs too much memory, only one job fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger
from video_jobs.domain.errors import PipelineError, SettingError, TransientError, VideoJobsError
from video_jobs.domain.text_engines import NOTHING_CHOSEN, TextChoice
from video_jobs.settings import WorkerSettings

from video_worker.analysis import AnalysedFrame, KeepGoing, PartEnd, RunRequest
from video_worker.isolation.limits import JobLimits, JobUsage
from video_worker.isolation.messages import (
    Answer,
    EndRun,
    Failed,
    FingerprintRequest,
    Ready,
    RunEnded,
    RunOpened,
)
from video_worker.isolation.process import AnalysisProcess
from video_worker.passing import passing_times

_START_LIMIT_S = 300
_WATCH_PAUSE_S = 0.1


class AnalysisStartError(Exception):
    """The analysing process cannot load its models."""


class IsolatedRun:
    """A `video_worker.analysis.AnalysisRun` in the other process."""

    def __init__(self, opened: RunOpened, next_answer: Callable[[], Answer], end: Callable[[], None]) -> None:
        self._next_answer, self._end = next_answer, end
        self._has_ended = False
        self.video = opened.video
        self.warnings = opened.warnings
        self.frames_total = opened.frames_total
        self.complete_parts = opened.complete_parts
        self.part_ranges = opened.part_ranges

    def __iter__(self) -> Iterator[AnalysedFrame | PartEnd]:
        while isinstance(answer := self._answer(), AnalysedFrame | PartEnd):
            yield answer
        _checked(answer, RunEnded)

    def close(self) -> None:
        """End the run in the other process, which serves the next one then."""
        if not self._has_ended:
            with suppress(VideoJobsError):  # of frames that nobody waits for
                self._end()
                while not self._has_ended:
                    self._answer()

    def _answer(self) -> Answer:
        """The next answer; the run has ended with an error, or one that is neither a frame nor a part."""
        self._has_ended = True
        answer = self._next_answer()
        self._has_ended = not isinstance(answer, AnalysedFrame | PartEnd)
        return answer


class IsolatedAnalysisService(AbstractContextManager["IsolatedAnalysisService"]):
    """An `AnalysisService` with one process, which serves many jobs and is replaced when it fails.

    Entering starts the process and waits until its models are loaded; leaving ends it. It does one run at a
    time: the next call ends a run that was not read to its end.
    """

    def __init__(self, settings: WorkerSettings, limits: JobLimits, logger: Logger) -> None:
        self._settings = settings
        self._limits = limits
        self._logger = logger
        self._process: AnalysisProcess | None = None
        self._is_ready = False
        self._is_running = False

    def __enter__(self) -> IsolatedAnalysisService:
        self.prepare()
        return self

    def __exit__(self, *_: object) -> None:
        self._discard()

    @property
    def pid(self) -> int | None:
        """Process id of the analysing process, or None if there is none."""
        return self._process.pid if self._process else None

    def prepare(self) -> None:
        """Start a process and load its models, if none is ready.

        Raises
        ------
        AnalysisStartError, SettingError
            If it cannot be started.
        """
        self._ready_process()

    def fingerprint(self, pipeline_id: str, text: TextChoice = NOTHING_CHOSEN) -> dict[str, Any]:
        """Everything besides video and frames that the results depend on."""
        process = self._ready_process()
        _, next_answer = self._ask(process, FingerprintRequest(pipeline_id, text), None)
        facts: dict[str, Any] = _checked(next_answer(), dict)
        return facts

    def run(self, request: RunRequest, keep_going: KeepGoing | None = None) -> IsolatedRun:
        """Process a video's frames in order, in the other process.

        Raises
        ------
        ResourceLimitError, AnalysisCrashedError
            If the job used too much or its analysis crashed, on opening or while iterating.
        """
        process = self._ready_process()
        usage, next_answer = self._ask(process, request, keep_going)
        opened: RunOpened = _checked(next_answer(), RunOpened)
        usage.allow(passing_times(request.sampling, request.first_candidate, opened.video))
        return IsolatedRun(opened, next_answer, partial(process.send, EndRun()))

    def _ask(
        self, process: AnalysisProcess, request: Any, keep_going: KeepGoing | None
    ) -> tuple[JobUsage, Callable[[], Answer]]:
        """Send a request; what it uses from now on, and a function that waits for its next answer."""
        with self._replacing_on_error():
            process.send(request)
            usage = JobUsage(process.usage(), self._limits)
        return usage, partial(self._next_answer, process, usage, keep_going)

    def _next_answer(self, process: AnalysisProcess, usage: JobUsage, keep_going: KeepGoing | None) -> Answer:
        with self._replacing_on_error():
            _watch_until_answer(process, usage, keep_going)
            answer = process.receive()
        usage.answer_arrived()
        self._is_running = isinstance(answer, RunOpened | AnalysedFrame | PartEnd)
        if isinstance(answer, Failed):
            raise self._error_of(answer)
        return answer

    def _error_of(self, failed: Failed) -> VideoJobsError:
        if failed.error is not None:
            return failed.error
        self._logger.error("pipeline failed", action="pipeline_failed", details=failed.details)
        if failed.is_out_of_memory:
            return TransientError("The worker ran out of memory")
        return PipelineError(f"The pipeline failed on this video ({failed.name})")

    def _ready_process(self) -> AnalysisProcess:
        if self._is_running:
            self._replace("the run was given up")
        process = self._process or self._start()
        if not self._is_ready:
            self._wait_until_ready(process)
        return process

    def _wait_until_ready(self, process: AnalysisProcess) -> None:
        try:
            answer = process.receive() if process.has_answer(_START_LIMIT_S) else None
        except VideoJobsError as error:
            self._discard()
            raise AnalysisStartError(f"The models cannot be loaded: {error.message}") from error
        if not isinstance(answer, Ready):
            self._discard()
            raise _start_error(answer)
        self._is_ready = True

    @contextmanager
    def _replacing_on_error(self) -> Iterator[None]:
        """Replace the process after any error, because its state is then unknown."""
        try:
            yield
        except BaseException as error:
            self._replace(repr(error))
            raise

    def _replace(self, reason: str) -> None:
        self._logger.warning("analysis process replaced", action="analysis_replaced", reason=reason)
        self._discard()
        self._start()  # it loads its models while the job is being ended

    def _start(self) -> AnalysisProcess:
        self._process = AnalysisProcess(self._settings)
        return self._process

    def _discard(self) -> None:
        process, self._process = self._process, None
        self._is_ready = self._is_running = False
        if process is not None:
            process.kill()


def _watch_until_answer(process: AnalysisProcess, usage: JobUsage, keep_going: KeepGoing | None) -> None:
    while True:
        if keep_going is not None:
            keep_going()
        usage.check()
        if process.has_answer(_WATCH_PAUSE_S):
            return


def _checked(answer: Any, kind: type[Any]) -> Any:
    if not isinstance(answer, kind):
        raise PipelineError(f"The analysing process gave an unexpected answer ({type(answer).__name__})")
    return answer


def _start_error(answer: Answer | None) -> Exception:
    if not isinstance(answer, Failed):
        return AnalysisStartError(f"The models were not loaded within {_START_LIMIT_S} s")
    if isinstance(answer.error, SettingError):
        return answer.error
    reason = answer.error.message if answer.error else answer.details
    return AnalysisStartError(f"The models or decoders cannot be started: {reason}")
