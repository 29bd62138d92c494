"""A machine with a worker: started again whenever it has died."""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from video_jobs.domain.errors import ConflictError, TransientError
from video_jobs.domain.parts import fingerprint_id_of
from video_jobs.settings import WorkerSettings
from video_worker.heartbeat import Heartbeat
from video_worker.job_worker import JobWorker, Outcome
from video_worker.stop_signal import StopSignal

from tests.proofs.simulation.analysis import SimulatedAnalysis
from tests.proofs.simulation.faults import Crash, Process
from tests.proofs.simulation.invariants import MAX_FAILURES

if TYPE_CHECKING:
    from tests.proofs.simulation.world import World

_JOIN_PAUSE_S = 0.05
_SETTINGS = WorkerSettings.from_environment(
    {"MODEL_PATH": "none", "LEASE_S": "60", "HEARTBEAT_S": "10", "MAX_FAILURES": str(MAX_FAILURES)}
)


class WorkerHost:
    """Runs one worker after another; ``understands`` is the newest job format of its release."""

    def __init__(self, world: World, name: str, understands: int) -> None:
        self._world, self._name, self._understands = world, name, understands
        world.invariants.formats[name] = understands

    def run(self) -> None:
        """Until the schedule ends."""
        for life in count():
            process = self._world.process(f"{self._name}-{life}")
            try:
                self._work(process)
            except Crash:
                self._world.faults.injected["worker restarted"] += 1
            self._world.scheduler.sleep(self._world.random.uniform(5, 40))

    def _work(self, process: Process) -> None:
        world, stop = self._world, SimulatedStop(process, grace_s=30)
        worker = self._worker(process, stop)
        while not stop.requested.is_set():
            if world.faults.happens("told to stop", 0.01):
                world.scheduler.spawn(stop.request, world.random.uniform(0, 60))
            try:
                idle = worker.run_once() is Outcome.IDLE
            except (TransientError, ConflictError):
                idle = True
            if idle:
                process.sleep(world.random.uniform(5, 30))

    def _worker(self, process: Process, stop: SimulatedStop) -> JobWorker:
        analysis = SimulatedAnalysis(process)
        self._world.helped.releases[process.name] = analysis.fingerprint_id
        worker = JobWorker(
            process.name,
            self._world.app(process),
            analysis,
            _SETTINGS,
            stop,
            logger=self._world.logger,
            heartbeat_type=partial(SimulatedHeartbeat, process),
            random=self._world.random,
            understands=self._understands,
            wait=process.sleep,
        )
        if not self._world.kept.fingerprints:
            vars(worker._helper)["_fingerprint_of"] = fingerprint_id_of
        return worker


class SimulatedHeartbeat(Heartbeat):
    """Beats in an actor of its own instead of a thread."""

    def __init__(self, process: Process, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._process = process
        self._runs = False

    def __enter__(self) -> SimulatedHeartbeat:
        self._runs = True
        self._process.scheduler.spawn(self._beat_in_simulated_time)
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        while self._runs and self._process.is_alive:
            self._process.sleep(_JOIN_PAUSE_S)

    def _beat_in_simulated_time(self) -> None:
        try:
            self._process.sleep(self._pause_s)
            while not self._done.is_set() and not self.lost.is_set():
                self.beat()
                self._process.sleep(self._pause_s)
        except Crash:
            pass
        finally:
            self._runs = False


class SimulatedStop(StopSignal):
    """A stop signal whose grace period is simulated."""

    def __init__(self, process: Process, grace_s: float) -> None:
        super().__init__(grace_s)
        self._process = process
        self._over_at_s: float | None = None

    def request(self) -> None:
        self.requested.set()
        self._over_at_s = self._process.scheduler.now_s + self._grace_s

    def grace_is_over(self) -> bool:
        return self._over_at_s is not None and self._process.scheduler.now_s >= self._over_at_s
