"""Does the service work? Submit a video both ways, poll, fetch and check the results, delete the jobs.

``python -m tools.smoke_test BASE_URL`` tests a deployment (its ApiUrl), ``--local`` a local stack that it
starts and stops. Exit code 0: all is well, 1: a step failed, 2: wrong usage.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from video_jobs.domain.errors import UnreadableVideoError
from video_jobs_client.errors import UploadError
from video_jobs_client.uploads import UploadSettings
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
)
from tools.smoke_login import TOKEN_VARIABLE, log_in
from tools.smoke_service import (
    PROBLEM_TYPE,
    RESULTS_FORM,
    STATUS_FORM,
    Service,
    SmokeTestError,
    TookTooLongError,
    UsageError,
    check_form,
    check_frames,
    documented,
    parsed,
)

ROOT = Path(__file__).parents[1]
FIXTURE = ROOT / "tests" / "fixtures" / "tiny.mp4"
STREET_DEMO = ROOT / "gpu_worker_image" / "models" / "street_demo"
LOG_FILE = Path("out/local-stack.log")
MAX_BODY_BYTES = 4 * 2**20
STRIDE, MAX_FRAMES = 2, 3
PAGE_FRAMES = 25
PROGRESS = {"pending": 0.0, "running": 0.5, "completed": 1.0, "failed": 1.0}

if TYPE_CHECKING:
    import video_jobs_client as sdk
    from video_jobs_client.protocol.files import File


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
            in_request = self._submit_in_request()
        with step("a video through the storage is taken"):
            through_storage = self._submit_through_storage()
        every = range(self._frames)
        self._follow("the video in the request", in_request, list(every))
        self._follow("the video through the storage", through_storage, list(every[::STRIDE][:MAX_FRAMES]))

    def _follow(self, what: str, job_id: str, frame_indices: list[int]) -> None:
        with step(f"{what} is analysed"):
            job = self._completed(job_id)
        with step(f"{what} has results"):
            check_frames(self._results(job), frame_indices)
            told = self._job(job_id)
            if (told.percent, told.frames_done) != (100, len(frame_indices)):
                raise SmokeTestError(
                    f"Job {job_id} reports {told.frames_done} frames, {told.percent} %, where "
                    f"{len(frame_indices)} are in its results: look at its item in JobsTable"
                )
        with step(f"{what} has a summary"):
            self._check_summary(job, len(frame_indices))

    def _check_refusal(self) -> None:
        what, headers = "POST /video/submit of a text", {"content-type": "video/mp4"}
        answer = self._service.ask("POST", "/video/submit", content=b"This is no MP4.", headers=headers)
        if answer.status == 201:
            self._jobs.append(parsed(answer, what, JobAccepted).job_id)
        if answer.status != 400:
            raise self._service.unexpected(answer, what, 400)
        problem = parsed(answer, what, Problem, PROBLEM_TYPE)
        if problem.code != "invalid_mp4":
            raise SmokeTestError(f"{what} was refused as {problem.code}, not as invalid_mp4")

    def _submit_in_request(self) -> str:
        content, headers = self._video.read_bytes(), {"content-type": "video/mp4"}
        answer = self._service.call("POST", "/video/submit", 201, content=content, headers=headers)
        self._jobs.append(parsed(answer, "POST /video/submit", JobAccepted).job_id)
        return self._jobs[-1]

    def _submit_through_storage(self) -> str:
        how = UploadSettings(method="form", resume=False)
        with self._service.failing():
            try:
                job = self._service.client.analyse(
                    self._video, upload=how, frame_stride=STRIDE, max_frames=MAX_FRAMES
                )
            except UploadError as error:
                self._jobs += [error.job_id] if error.job_id else []
                raise
        self._jobs.append(job.id)
        return job.id

    def _completed(self, job_id: str) -> sdk.Job:
        """The job, once it is completed."""
        self._job(job_id)
        self._status(job_id)
        try:
            with self._service.failing():
                job = self._service.client.jobs.get(job_id).wait(self._timeout_s, check=False)
        except TookTooLongError:
            raise SmokeTestError(_too_late(self._job(job_id), f"within {self._timeout_s:g} s")) from None
        if self._status(job_id) != "completed":
            raise SmokeTestError(f"Job {job_id} is completed, but not its status: look at JobsTable")
        return job

    def _status(self, job_id: str) -> str:
        """The status, in the form that is promised."""
        answer = self._service.call("GET", f"/video/status/{job_id}", 200)
        check_form(answer, "GET /video/status", STATUS_FORM)
        told = parsed(answer, "GET /video/status", JobStatus)
        if told.progress != PROGRESS[told.status]:
            raise SmokeTestError(
                f"Job {job_id} is {told.status} at progress {told.progress}: "
                "was the stack deployed from this version?"
            )
        if told.status == "failed":
            raise SmokeTestError(f"Job {job_id} failed ({told.error_message}): look at the worker's log")
        return told.status

    def _job(self, job_id: str) -> Job:
        return parsed(self._service.call("GET", f"/video/jobs/{job_id}", 200), "GET /video/jobs", Job)

    def _results(self, job: sdk.Job) -> list[Frame]:
        """All frames: as they are promised, page by page, and once more from the storage."""
        path = f"/video/results/{job.id}"
        answer = self._service.call("GET", path, 200)
        check_form(answer, "GET /video/results", RESULTS_FORM)
        parsed(answer, "GET /video/results", Results)
        frames: list[Frame] = []
        with self._service.failing():
            for told in islice(job.pages(limit=PAGE_FRAMES), self._frames):
                page = documented(json.dumps(told).encode(), "GET /video/results", Results)
                frames += page.results
                if [len(tracks) for tracks in page.track_ids] != [_objects(frame) for frame in page.results]:
                    raise SmokeTestError(f"The tracks of job {job.id} are not those of its detections")
        if self._downloaded(job, "results", "results") != [frame.model_dump() for frame in frames]:
            raise SmokeTestError(
                f"The pages and the results file of job {job.id} differ: look at the log of VideoApiFunction"
            )
        return frames

    def _check_summary(self, job: sdk.Job, frames: int) -> None:
        told = parsed(
            self._service.call("GET", f"/video/summary/{job.id}", 200), "GET /video/summary", JobSummary
        )
        counts = (
            told.summary and told.summary.frames,
            self._downloaded(job, "summary", "frames"),
            len(self._downloaded(job, "tracks", "track_ids")),
        )
        if counts != (frames, frames, frames):
            raise SmokeTestError(
                f"Summary, its file and tracks of job {job.id} are of {counts} frames, not of {frames}: "
                "look at the worker's log"
            )

    def _downloaded(self, job: sdk.Job, file: File, field: str) -> Any:
        """A field of a file of the job."""
        with tempfile.TemporaryDirectory() as folder, self._service.failing():
            content = job.download(Path(folder) / file, file).read_bytes()
        try:
            return json.loads(content)[field]
        except (ValueError, KeyError, TypeError):
            raise SmokeTestError(f"The {file} file holds no {field}: look at the worker's log") from None

    def _tidy_up(self) -> None:
        if self._jobs:
            with step("its jobs are deleted"):
                for job_id in self._jobs:
                    self._delete(f"/video/jobs/{job_id}")

    def _delete(self, path: str) -> None:
        if self._service.ask("DELETE", path).status != 204:  # it runs, or was taken just now
            self._service.ask("POST", f"{path}/cancel")
            self._service.call("DELETE", path, 204)
        gone = self._service.call("GET", path, 404)
        parsed(gone, f"GET {path}, which is deleted,", Problem, PROBLEM_TYPE)


def _objects(frame: Frame) -> int:
    return len(frame.result.get("detections", []))


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
