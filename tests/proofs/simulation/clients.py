"""A client: submits a video, uploads it, sometimes changes its mind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from video_jobs.application import VideoJobs
from video_jobs.domain.errors import ConflictError, JobNotFoundError, JobStateError, TransientError
from video_jobs.domain.job import Job, JobOptions
from video_jobs.use_cases.intake import Submission

from tests.proofs.simulation.analysis import Kind, SimulatedVideo
from tests.proofs.simulation.faults import Crash

if TYPE_CHECKING:
    from tests.proofs.simulation.world import World

_KINDS = (Kind.GOOD, Kind.GOOD, Kind.GOOD, Kind.GOOD, Kind.BROKEN, Kind.DEADLY, Kind.NO_MP4)
_CALLBACK = JobOptions(callback_url="https://receiver.example/hook")


class Client:
    """One of the clients of a schedule, all of them the owner ``ann``."""

    def __init__(self, world: World, number: int) -> None:
        self._world, self._random = world, world.random
        self._url = f"https://source.example/{number}?signature=secret"
        kind, frames = self._random.choice(_KINDS), self._random.randint(1, 10) * world.longer
        self._video = SimulatedVideo(kind, frames, number)
        options = _CALLBACK if self._random.random() < 0.3 else JobOptions()
        key = f"key-{number}" if self._random.random() < 0.7 else None
        self._submission = Submission(owner="ann", options=options, idempotency_key=key)

    def run(self) -> None:
        way = self._random.choice(
            (self._submit_body, self._submit_form, self._submit_form, self._submit_source)
        )
        job = self._ask(way)
        assert job is not None, "a submit was refused"
        self._world.accepted.add(job.job_id)
        if way == self._submit_form and self._random.random() < 0.85:
            self._upload(job)
        if self._random.random() < 0.5:
            self._change_mind(job.job_id)
        self._world.busy -= 1

    def _change_mind(self, job_id: str) -> None:
        """Cancel, mostly retry, sometimes delete."""
        world, sleep = self._world, self._world.scheduler.sleep
        sleep(self._random.uniform(0, 1000))
        world.invariants.cancelled.add(job_id)
        self._ask(lambda app: app.owner.cancel(app.owner.job(job_id, "ann")))
        sleep(self._random.uniform(0, 300))
        if self._random.random() < 0.7:
            self._ask(lambda app: app.owner.retry(app.owner.job(job_id, "ann")))
        sleep(self._random.uniform(0, 1500))
        if self._random.random() < 0.3:
            world.invariants.deleted.add(job_id)
            self._ask(lambda app: app.owner.delete(app.owner.job(job_id, "ann")))

    def _ask(self, ask: Callable[[VideoJobs], Job | None]) -> Job | None:
        """Ask until there is an answer, whatever it says."""
        while True:
            try:
                return ask(self._world.app(self._world.process("video_api")))
            except (TransientError, Crash):
                self._world.scheduler.sleep(self._random.uniform(1, 20))
            except (JobStateError, JobNotFoundError, ConflictError):
                return None

    def _submit_body(self, app: VideoJobs) -> Job:
        # The head of a body is looked at before a job is made: what is no MP4 never gets this far.
        video = self._video
        whole = SimulatedVideo(Kind.BROKEN, 1, 0) if video.kind is Kind.NO_MP4 else video
        path = self._world.folder / self._world.new_id()
        path.write_bytes(whole.to_bytes())
        return app.intake.submit_video(path, self._submission)

    def _submit_form(self, app: VideoJobs) -> Job:
        return app.intake.submit_form(len(self._video.to_bytes()), self._submission)[0]

    def _submit_source(self, app: VideoJobs) -> Job:
        self._world.servers.put(self._url, self._video)
        return app.intake.submit_source(self._url, self._submission)

    def _upload(self, job: Job) -> None:
        """Upload once, or twice: the answer was lost, or the client sends something else."""
        world, video = self._world, self._video
        world.scheduler.sleep(self._random.uniform(1, 800))
        world.storage.save_bytes(job.upload.key, video.to_bytes())
        if self._random.random() < 0.2:
            world.scheduler.sleep(self._random.uniform(0, 60))
            other = replace(video, kind=self._random.choice(_KINDS), frames=video.frames + 1)
            world.storage.save_bytes(job.upload.key, replace(other, seed=video.seed + 1).to_bytes())
