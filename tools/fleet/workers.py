"""A worker: it boots, takes messages, holds jobs, helps with others, and may lose its machine."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import simpy
from video_jobs.domain.segments import parts_a_segment

from tools.fleet.jobs import Help, Job, Piece, Run
from tools.fleet.queue import Message

if TYPE_CHECKING:
    from tools.fleet.model import FleetModel

Steps = Generator[simpy.Event, Any, None]


class Worker:
    """One worker, from the moment in which it is asked for.

    Attributes
    ----------
    asked_s
        When it was asked for; from then on it is paid.
    message
        What it works on.
    """

    def __init__(self, model: FleetModel, start_s: float) -> None:
        self.model, self.asked_s = model, model.env.now
        self.message: Message | None = None
        self._inbox: simpy.Event | None = None
        self._is_dismissed = False
        self.process = model.env.process(self._live(start_s))

    @property
    def is_idle(self) -> bool:
        """Whether it boots or waits; any other one is protected."""
        return self.message is None and (self._inbox is None or not self._inbox.triggered)

    def dismiss(self) -> None:
        """Stop an idle worker."""
        self._is_dismissed = True
        self.model.remove(self)
        if self._inbox is not None:
            self.model.queue.leave(self._inbox)
            self._inbox.succeed(None)

    def _live(self, start_s: float) -> Steps:
        env, queue = self.model.env, self.model.queue
        try:
            yield env.timeout(start_s)
            while not self._is_dismissed:
                self._inbox = queue.get()
                self.message = yield self._inbox
                self._inbox = None
                if self.message is not None:
                    yield from self._handle(self.message)
                    self.message = None
        except simpy.Interrupt:
            if self._inbox is not None:
                queue.leave(self._inbox)
        if not self._is_dismissed:
            self.model.remove(self)

    def _handle(self, message: Message) -> Steps:
        if isinstance(message, Job):
            yield from self._hold(message)
        else:
            yield from self._help(message)

    def _hold(self, job: Job) -> Steps:
        """Compute and join the parts of a job, and end it; if the machine is lost, the job is returned."""
        env, figures = self.model.env, self.model.figures
        run = job.opened()
        job.started_s = job.started_s if job.started_s >= 0 else env.now
        try:
            yield env.timeout(figures.a_job_s + figures.fetch_s(job.frames))
            if run.joined:  # by a holder before
                yield env.timeout(run.joined * job.frames_a_part * figures.fold_s)
            self.model.begin_asking(job, run)
            while not run.is_joined:
                yield from self._step(job, run)
            yield env.timeout(job.frames * figures.close_s)
        except simpy.Interrupt:
            run.is_held, run.changed = False, None
            self.model.queue.put_back(job)
            raise
        self.model.end(job)

    def _step(self, job: Job, run: Run) -> Steps:
        """Join what is next, or else compute what is next, or else wait for helpers."""
        env = self.model.env
        if run.pieces and run.pieces[0].is_done:
            parts = run.pieces[0].parts
            yield env.timeout(parts * job.frames_a_part * self.model.figures.fold_s)
            run.pieces.popleft()
            run.joined += parts
        elif piece := run.take(self._most_at_once(job, run)):
            yield from self._compute(job, run, piece)
        else:
            run.changed = env.event()
            yield run.changed

    def _most_at_once(self, job: Job, run: Run) -> int:
        """The holder works part by part; while nobody can help, several parts are one step here."""
        if not run.asks:
            return run.free
        return 1 if self.model.queue.has_idle else parts_a_segment(job.part_s, run.free)

    def _help(self, message: Help) -> Steps:
        """Claim a segment of a job that still has one, and compute it."""
        job, run, figures = message.job, message.job.run, self.model.figures
        if run is None:
            return
        self.model.answered(job, run)
        if (piece := run.take(parts_a_segment(job.part_s, run.free))) is None:
            return
        fetch_s = figures.fetch_s(piece.parts * job.frames_a_part)
        try:
            yield self.model.env.timeout(figures.opening_s + fetch_s)
        except simpy.Interrupt:
            run.give_back(piece, 0)
            raise
        yield from self._compute(job, run, piece)

    def _compute(self, job: Job, run: Run, piece: Piece) -> Steps:
        env, part_s = self.model.env, job.part_s
        began_s = env.now
        try:
            yield env.timeout(piece.parts * part_s)
        except simpy.Interrupt:
            run.give_back(piece, min(piece.parts, int((env.now - began_s) / part_s)))
            raise
        run.finish(piece)
