"""Does the service work? Submit a video both ways, poll, fetch and check the results, delete the jobs.

``python -m tools.smoke_test BASE_URL`` tests a deployment (its ApiUrl), ``--local`` a local stack that it
starts and stops. Exit code 0: all is well, 1: a step failed, 2: wrong usage.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from video_jobs.domain.errors import UnreadableVideoError
from video_worker.video.video_reader import VideoReader

from functions.video_api.answer_models import (
    Frame,
    Health,
    Job,
    JobAccepted,
    JobStatus,
    JobSummary,
    Problem,
    Results,
    UploadOffered,
)
from tools.smoke_login import TOKEN_VARIABLE, log_in
from tools.smoke_service import (
    PROBLEM_TYPE,
    Service,
    SmokeTestError,
    UsageError,
    check_frames,
    parsed,
    retry_after_s,
)

ROOT = Path(__file__).parents[1]
FIXTURE = ROOT / "tests" / "fixtures" / "tiny.mp4"
STREET_DEMO = ROOT / "gpu_worker_image" / "models" / "street_demo"
LOG_FILE = Path("out/local-stack.log")
MAX_BODY_BYTES = 4 * 2**20
STRIDE, MAX_FRAMES = 2, 3
PAGE_FRAMES = 25
PROGRESS = {"pending": 0.0, "running": 0.5, "completed": 1.0, "failed": 1.0}

Accepted = TypeVar("Accepted", bound=JobAccepted)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Print what was done and how long it took, and the reason if it failed."""
    started, outcome = time.monotonic(), "ok"
    try:
        yield
    except SmokeTestError as error:
        outcome = "FAILED"
        print(error, file=sys.stderr, flush=True)
        raise
    finally:
        print(f"{outcome:<8}{name:<42}{time.monotonic() - started:7.2f} s", flush=True)


class SmokeTest:
    """The steps, and the jobs that they made.

    Parameters
    ----------
    frames
        How many frames the video has.
    timeout_s
        How long a job may take.
    """

    def __init__(self, service: Service, video: Path, frames: int, timeout_s: float) -> None:
        self._service, self._video, self._frames, self._timeout_s = service, video, frames, timeout_s
        self._jobs: list[str] = []

    def run(self) -> None:
        """Every step in turn; its jobs are deleted even if one fails."""
        try:
            self._steps()
        except BaseException:
            with suppress(SmokeTestError):
                self._tidy_up()
            raise
        self._tidy_up()

    def _steps(self) -> None:
        with step("the service answers"):
            parsed(self._service.call("GET", "/health", 200), "GET /health", Health)
        with step("a file that is no MP4 is refused"):
            self._check_refusal()
        with step("a video in the request is taken"):
            content, headers = self._video.read_bytes(), {"content-type": "video/mp4"}
            in_request = self._submitted(JobAccepted, data=content, headers=headers).job_id
        with step("a video through the storage is taken"):
            through_storage = self._submit_through_storage()
        every = range(self._frames)
        self._follow("the video in the request", in_request, list(every))
        self._follow("the video through the storage", through_storage, list(every[::STRIDE][:MAX_FRAMES]))

    def _follow(self, what: str, job_id: str, frame_indices: list[int]) -> None:
        with step(f"{what} is analysed"):
            self._wait(job_id)
        with step(f"{what} has results"):
            check_frames(self._results(job_id), frame_indices)
            job = self._job(job_id)
            if (job.percent, job.frames_done) != (100, len(frame_indices)):
                raise SmokeTestError(
                    f"Job {job_id} reports {job.frames_done} frames, {job.percent} %, where "
                    f"{len(frame_indices)} are in its results: look at its item in JobsTable"
                )
        with step(f"{what} has a summary"):
            self._check_summary(job_id, len(frame_indices))

    def _check_refusal(self) -> None:
        what, headers = "POST /video/submit of a text", {"content-type": "video/mp4"}
        answer = self._service.ask("POST", "/video/submit", data=b"This is no MP4.", headers=headers)
        if answer.status_code == 201:
            self._jobs.append(parsed(answer, what, JobAccepted).job_id)
        if answer.status_code != 400:
            raise self._service.unexpected(answer, what, 400)
        problem = parsed(answer, what, Problem, PROBLEM_TYPE)
        if problem.code != "invalid_mp4":
            raise SmokeTestError(f"{what} was refused as {problem.code}, not as invalid_mp4")

    def _submit_through_storage(self) -> str:
        options = {"frame_stride": STRIDE, "max_frames": MAX_FRAMES, "filename": self._video.name}
        offer = self._submitted(UploadOffered, json={"size_bytes": self._video.stat().st_size, **options})
        if offer.upload is None:
            raise SmokeTestError(
                "JSON to /video/submit offered no upload: look at the log of VideoApiFunction"
            )
        self._service.upload(offer.upload, self._video)
        return offer.job_id

    def _submitted(self, model: type[Accepted], **request: Any) -> Accepted:
        answer = self._service.call("POST", "/video/submit", 201, **request)
        accepted = parsed(answer, "POST /video/submit", model)
        self._jobs.append(accepted.job_id)
        return accepted

    def _wait(self, job_id: str) -> None:
        ends_at = time.monotonic() + self._timeout_s
        while True:
            answer = self._service.call("GET", f"/video/status/{job_id}", 200)
            if _is_completed(parsed(answer, "GET /video/status", JobStatus)):
                return
            left_s = ends_at - time.monotonic()
            if left_s <= 0:
                raise SmokeTestError(_too_late(self._job(job_id), f"within {self._timeout_s:g} s"))
            time.sleep(min(retry_after_s(answer.headers), left_s))

    def _job(self, job_id: str) -> Job:
        return parsed(self._service.call("GET", f"/video/jobs/{job_id}", 200), "GET /video/jobs", Job)

    def _results(self, job_id: str) -> list[Frame]:
        """All frames: page by page, and once more from the storage."""
        frames: list[Frame] = []
        query: dict[str, Any] = {"limit": PAGE_FRAMES, "include": "tracks"}
        for _ in range(self._frames):
            answer = self._service.call("GET", f"/video/results/{job_id}", 200, params=query)
            page = parsed(answer, "GET /video/results", Results)
            frames += page.results
            if [len(tracks) for tracks in page.track_ids] != [_objects(frame) for frame in page.results]:
                raise SmokeTestError(f"The tracks of job {job_id} are not those of its detections")
            if page.next_cursor is None:
                break
            query["cursor"] = page.next_cursor
        whole = [frame.model_dump() for frame in frames]
        if (
            page.results_url is None
            or self._service.download(page.results_url, "results", "results") != whole
        ):
            raise SmokeTestError(
                f"The pages and the results file of job {job_id} differ: look at the log of VideoApiFunction"
            )
        return frames

    def _check_summary(self, job_id: str, frames: int) -> None:
        answer = self._service.call("GET", f"/video/summary/{job_id}", 200)
        told = parsed(answer, "GET /video/summary", JobSummary)
        counts = (
            told.summary and told.summary.frames,
            self._service.download(told.summary_url, "summary", "frames"),
            len(self._service.download(told.tracks_url, "tracks", "track_ids")),
        )
        if counts != (frames, frames, frames):
            raise SmokeTestError(
                f"Summary, its file and tracks of job {job_id} are of {counts} frames, not of {frames}: "
                "look at the worker's log"
            )

    def _tidy_up(self) -> None:
        if self._jobs:
            with step("its jobs are deleted"):
                for job_id in self._jobs:
                    self._delete(f"/video/jobs/{job_id}")

    def _delete(self, path: str) -> None:
        if self._service.ask("DELETE", path).status_code != 204:  # it runs, or was taken just now
            self._service.ask("POST", f"{path}/cancel")
            self._service.call("DELETE", path, 204)
        gone = self._service.call("GET", path, 404)
        parsed(gone, f"GET {path}, which is deleted,", Problem, PROBLEM_TYPE)


def _objects(frame: Frame) -> int:
    return len(frame.result.get("detections", []))


def _is_completed(now: JobStatus) -> bool:
    if now.progress != PROGRESS[now.status]:
        raise SmokeTestError(
            f"Job {now.job_id} is {now.status} at progress {now.progress}: "
            "was the stack deployed from this version?"
        )
    if now.status == "failed":
        raise SmokeTestError(f"Job {now.job_id} failed ({now.error_message}): look at the worker's log")
    return now.status == "completed"


def _too_late(job: Job, within: str) -> str:
    if job.status != "pending":
        of = f"{job.frames_done} of {job.frames_total} frames"
        hint = "look at the worker's log, or give it longer (--timeout-s)"
        return f"Job {job.job_id} did not end {within} ({of}): {hint}"
    if job.size_bytes is None:
        hint = "look at UploadsQueue and at the log of UploadReceivedFunction"
        return f"The video of job {job.job_id} was not noticed {within}: {hint}"
    hint = "look at JobsQueue, VideoWorkerService and its log; a start from zero takes minutes (--timeout-s)"
    return f"No worker took job {job.job_id} {within}: {hint}"


def run_local(video: Path, frames: int, timeout_s: float) -> None:
    """Test a local stack on a free port, with the model that is in the repository."""
    # imported here: testing a deployment needs none of it
    from tools.local_stack.stack import LocalStack
    from tools.local_stack.workers import WorkerStartError

    with LocalStack(log_file=LOG_FILE, worker_settings={"MODEL_PATH": str(STREET_DEMO)}) as stack:
        with step("the local stack starts"):
            try:
                stack.wait_until_ready()
            except WorkerStartError as error:
                raise SmokeTestError(f"The worker does not start ({error}): look at {LOG_FILE}") from None
        SmokeTest(Service(stack.url), video, frames, timeout_s).run()


def frames_of(video: Path) -> int:
    """How many frames the video has; raises UsageError if it cannot serve."""
    if not video.is_file():
        raise UsageError(f"there is no file {video}")
    if video.stat().st_size > MAX_BODY_BYTES:
        raise UsageError(f"{video} is larger than {MAX_BODY_BYTES} bytes, which is what a request takes")
    try:
        with VideoReader(video) as reader:
            frames = reader.facts.frame_count
    except UnreadableVideoError as error:
        raise UsageError(f"{video}: {error}") from None
    if frames is None:
        raise UsageError(f"{video} does not say how many frames it has; take another")
    return frames


def checked_url(text: str) -> str:
    """A base URL without the slash at its end; raises UsageError if it is none or holds a secret."""
    try:
        parts = urlsplit(text)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or parts.username is not None or parts.query or parts.fragment:
        raise UsageError("BASE_URL is an address such as https://api.example.com, and holds no secrets")
    return text.rstrip("/")


def main() -> int:
    """Run the test; the exit code says how it went."""
    parser = argparse.ArgumentParser(prog="smoke_test", description=__doc__)
    add = parser.add_argument
    add("base_url", nargs="?", metavar="BASE_URL", help="address of the API: ApiUrl of the stack")
    add("--local", action="store_true", help="start a local stack and test that")
    add("--token", help=f"bearer token; {TOKEN_VARIABLE} keeps it out of the process list")
    add("--timeout-s", type=float, default=120, help="how long a job may take")
    add("--video", type=Path, default=FIXTURE)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _run(parser.parse_args())
    except UsageError as error:
        parser.error(str(error))
    except SmokeTestError:
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    return 0


def _run(arguments: argparse.Namespace) -> None:
    if arguments.local == (arguments.base_url is not None):
        raise UsageError("give either BASE_URL or --local")
    if not arguments.timeout_s > 0:
        raise UsageError("--timeout-s is a number of seconds above 0")
    video, frames, timeout_s = arguments.video, frames_of(arguments.video), arguments.timeout_s
    if arguments.local:
        print("Testing a local stack, which is started for this", flush=True)
        return run_local(video, frames, timeout_s)
    url = checked_url(arguments.base_url)
    try:
        token, who = log_in(arguments.token, os.environ)
    except SmokeTestError as error:
        print(f"Testing {url}\n{error}", flush=True)
        raise
    print(f"Testing {url} {who}", flush=True)
    return SmokeTest(Service(url, token), video, frames, timeout_s).run()


if __name__ == "__main__":
    sys.exit(main())
