"""Analyse the video of a job that this worker holds, and store the results."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from video_jobs.application import VideoJobs
from video_jobs.domain.job import Job, Output, Progress
from video_jobs.domain.metrics import ANALYSIS_TIME, FETCH_TIME, STORE_TIME
from video_jobs.domain.video import JobWarning
from video_jobs.use_cases.work import LeaseLostError

from video_worker.analysis import AnalysisRun, AnalysisService, RunRequest
from video_worker.fetching import fetch_video, request_of
from video_worker.going_on import GoingOn
from video_worker.heartbeat import Heartbeat
from video_worker.joined_results import JoinedResults
from video_worker.metrics import AttemptMetrics
from video_worker.part_ranges import IndexTarget
from video_worker.part_runs import opener
from video_worker.parts import JobParts, StoredParts
from video_worker.results_serializer import warnings_of
from video_worker.segments import Holder
from video_worker.shared_run import SharedRun


class Done(NamedTuple):
    """Results that are stored."""

    output: Output
    frames: int
    warnings: tuple[JobWarning, ...]


class JobAnalysis:
    """One attempt at a job.

    Parameters
    ----------
    holder
        The worker, as it shares a long video with helpers.
    heartbeat
        Keeps the job; it records the progress.
    keep_going
        Raises an error if the work must stop.
    """

    def __init__(
        self,
        app: VideoJobs,
        pipelines: AnalysisService,
        holder: Holder,
        metrics: AttemptMetrics,
        heartbeat: Heartbeat,
        keep_going: GoingOn,
    ) -> None:
        self._app, self._pipelines, self._holder = app, pipelines, holder
        self._metrics, self._heartbeat, self._keep_going = metrics, heartbeat, keep_going

    def run(self, job: Job, folder: Path) -> Done:
        """Run the pipeline over the parts that no earlier attempt finished, and store the results."""
        fingerprint = self._pipelines.fingerprint(job.options.pipeline_id, job.options.text)
        self._holder.logger.info("fingerprint", action="fingerprint", fingerprint=fingerprint)
        with JoinedResults(folder, self._keep_going, job.options.max_frames) as joined:
            parts = JobParts(StoredParts(job, fingerprint["id"], self._app.ports.storage), joined)
            with self._metrics.stage(FETCH_TIME):
                video, finished = self._fetch_video(job, folder), parts.fetch_finished()
            request = replace(
                request_of(job, video),
                first_part=finished.parts,
                frames_before=finished.frames,
                index_target=self._index_target(folder),
            )
            run = self._pipelines.run(request, self._keep_going)
            opening = Progress(finished.frames, run.frames_total, finished.parts)
            self._heartbeat.progress = opening
            job = self._app.work.record_opening(
                job, fingerprint=fingerprint, video=run.video, progress=opening
            )
            with self._metrics.stage(ANALYSIS_TIME):
                for progress in self._computed(job, run, request, parts):
                    self._heartbeat.progress = progress
            with self._metrics.stage(STORE_TIME):
                joined.close(run.video)
                return self._store_results(job, joined, run)

    def _fetch_video(self, job: Job, folder: Path) -> Path:
        video = fetch_video(job, folder, self._app.ports.storage)
        self._metrics.fetched_bytes = video.stat().st_size
        return video

    def _index_target(self, folder: Path) -> IndexTarget | None:
        least = self._app.help.least_parts
        return None if least is None else IndexTarget(folder / "video.index", least)

    def _computed(
        self, job: Job, run: AnalysisRun, request: RunRequest, parts: JobParts
    ) -> Iterator[Progress]:
        """Compute all frames, and tell the progress after each; a long video is shared with helpers."""
        total, least = run.frames_total, self._app.help.least_parts
        if least is not None and run.complete_parts - parts.stored >= least:
            run = yield from self._shared(job, run, request, parts)
        others = parts.joined.frames - self._metrics.frames
        for frames_done in parts.write(run):
            self._metrics.frames = frames_done - others
            yield Progress(frames_done, total, parts.stored)

    def _shared(
        self, job: Job, run: AnalysisRun, request: RunRequest, parts: JobParts
    ) -> Generator[Progress, None, AnalysisRun]:
        """Compute the complete parts with helpers; returns a run of what follows them."""
        if run.part_ranges is not None and request.index_target is not None:
            parts.storage.save_index(request.index_target.path)
        open_run = opener(self._pipelines, request, self._keep_going)
        shared = SharedRun(self._holder, job, run, parts, open_run)
        try:
            for progress in shared.compute(self._keep_going):
                self._metrics.frames = shared.frames
                yield progress
        finally:
            self._metrics.helped = shared.used_by_helpers()
        return shared.rest()

    def _store_results(self, job: Job, joined: JoinedResults, run: AnalysisRun) -> Done:
        self._heartbeat.beat()
        if self._heartbeat.lost.is_set():
            raise LeaseLostError
        output = joined.store(job.job_id, self._app.ports.storage)
        return Done(output, joined.frames, run.warnings + warnings_of(joined.notes))
