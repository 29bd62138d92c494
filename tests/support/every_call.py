"""Make each function and the worker do everything that they ever ask AWS for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from video_jobs import bootstrap
from video_jobs.application import VideoJobs
from video_jobs.domain.changes import Expected
from video_jobs.domain.keys import part_key

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.integration.conftest import EVENT_JOB_ID, invoke, load_event, set_environment
from tests.integration.crash_scenarios import SCENARIOS, CrashWorld
from tests.integration.job_states import NOW, completed_job, saved_job, uploaded_video
from tests.support.aws import create_resources
from tests.support.clock import ManualClock
from tests.support.sample_events import NAMES, function_of, prepared_event, with_version_of_video
from tests.support.worker_world import on_frame

ACCEPTED_WITHOUT_VERSION = "reconcile sends again"


def fresh_services(patch: pytest.MonkeyPatch) -> VideoJobs:
    """An empty stack, and the services that its functions use."""
    set_environment(create_resources().template, patch)
    bootstrap.application.cache_clear()
    return bootstrap.application()


def handle(event: Mapping[str, Any], name: str, request_id: str = "r") -> Any:
    """What the function that takes the sample event ``name`` answers to ``event``."""
    return invoke(function_of(name), event, request_id)


def make_every_call(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """All sample events, what they leave out, and all that a worker may meet."""
    for name in NAMES:
        handle(prepared_event(name, fresh_services(patch), _new(folder, name)), name)
    uploads = (upload_of_no_job, upload_without_version, late_upload, late_orphan)
    for special in (_delete_with_parts, *uploads):
        special(fresh_services(patch), _new(folder, special.__name__))
    clock = ManualClock()
    clock.move_sqs(patch)
    for name in (*(name for name in SCENARIOS if name.startswith("worker ")), ACCEPTED_WITHOUT_VERSION):
        on_frame().clear()
        ports = fresh_services(patch).ports
        vars(ports)["clock"] = clock
        world = CrashWorld(ports, clock, _new(folder, name))
        _, act = SCENARIOS[name].prepare(world, name)
        act()
        world.work()
    on_frame().clear()


def _new(folder: Path, name: str) -> Path:
    made = folder / name
    made.mkdir()
    return made


def _delete_with_parts(services: VideoJobs, folder: Path) -> None:
    completed_job(services, folder, frames=1)
    services.ports.storage.save_file(part_key(EVENT_JOB_ID, "f", 0), TINY, "video/mp4")
    handle(load_event("delete_job"), "delete_job")


def upload_of_no_job(services: VideoJobs, _: Path) -> Any:
    uploaded_video(services)
    return handle(with_version_of_video(load_event("upload_received"), services), "upload_received")


def upload_without_version(services: VideoJobs, _: Path) -> Any:
    """The event names no version of the object."""
    saved_job(services)
    uploaded_video(services)
    event = load_event("upload_received")
    body = json.loads(event["Records"][0]["body"])
    del body["Records"][0]["s3"]["object"]["versionId"]
    event["Records"][0]["body"] = json.dumps(body)
    return handle(event, "upload_received")


def late_upload(services: VideoJobs, _: Path) -> Any:
    """The event of an upload was lost; reconcile finds the object."""
    saved_job(services, due_at=NOW)
    uploaded_video(services)
    return handle(load_event("reconcile_schedule"), "reconcile_schedule")


def late_orphan(services: VideoJobs, _: Path) -> Any:
    """The owner deletes the job while reconcile looks at it."""
    job = saved_job(services, due_at=NOW)
    uploaded_video(services)
    services.ports.jobs.delete(job.job_id, Expected(status=job.status))
    services.ports.jobs.list_due = lambda *_: [job]  # type: ignore[method-assign]
    return handle(load_event("reconcile_schedule"), "reconcile_schedule")
