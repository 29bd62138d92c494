"""Make each function and the worker do everything that they ever ask AWS for."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from video_jobs import bootstrap
from video_jobs.adapters.aws.s3 import S3Storage
from video_jobs.application import VideoJobs
from video_jobs.domain.accounts import Quotas
from video_jobs.domain.changes import Expected
from video_jobs.domain.errors import SourceNotFoundError
from video_jobs.domain.keys import part_key
from video_jobs.ports import StoredFile
from video_worker.retirement import Retirement
from video_worker.scale_in_protection import ScaleInProtection
from video_worker.stop_signal import StopSignal

import tests.integration.help_scenarios
import tests.integration.turn_scenarios  # noqa: F401 - both add to SCENARIOS
from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.integration.conftest import EVENT_JOB_ID, asked, invoke, load_event, set_environment
from tests.integration.crash_scenarios import SCENARIOS
from tests.integration.crash_world import CrashWorld
from tests.integration.job_states import (
    ACCEPTED,
    NOW,
    VIDEO,
    awaiting_chunks,
    completed_job,
    fetching_job,
    put_only_chunk,
    queued_job,
    running_job,
    saved_job,
    stored_job,
    uploaded_video,
    waiting_job,
)
from tests.support.aws import create_resources
from tests.support.clock import ManualClock
from tests.support.run_in_parts import RunInParts, frame
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
    uploads = (upload_of_no_job, upload_without_version, late_upload, late_orphan, _expired_chunks)
    fetches = (_fetch_that_begins_again, _fetch_that_has_ended, _fetch_that_fails, _lost_fetch)
    turns = (_cancel_with_one_waiting, _dead_letter_with_one_waiting, _lost_turn)
    refusals = (_upload_without_a_turn, _late_upload_without_a_turn, _refused_submit, _refused_upload)
    others = (_delete_with_parts, _read_of_parts, _worker_looks_at_the_fleet)
    for special in (*others, *uploads, *fetches, *turns, *refusals):
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
        on_frame().clear()
        world.go_on()
        world.work()
    for suffix in ("_results.json", "_tracks.json"):
        _store_in_parts(fresh_services(patch), clock, _new(folder, suffix), suffix)


class _InParts(S3Storage):
    """Stores one file in parts; S3 does not join parts that are so small."""

    suffix: str

    def save_file(self, key: str, source: Path, content_type: str) -> StoredFile:
        self._part_bytes = 20 if key.endswith(self.suffix) else 2**28
        return super().save_file(key, source, content_type)


def _store_in_parts(services: VideoJobs, clock: ManualClock, folder: Path, suffix: str) -> None:
    stored = services.ports.storage
    assert isinstance(stored, S3Storage)
    storage = _InParts(stored._client, stored._bucket)
    storage.suffix = suffix
    vars(services.ports).update(clock=clock, storage=storage)
    world = CrashWorld(services.ports, clock, folder)
    _, act = SCENARIOS["worker completes"].prepare(world, suffix)
    act()


def _new(folder: Path, name: str) -> Path:
    made = folder / name
    made.mkdir()
    return made


def _delete_with_parts(services: VideoJobs, folder: Path) -> None:
    completed_job(services, folder, frames=1)
    services.ports.storage.save_file(part_key(EVENT_JOB_ID, "f", 0), TINY, "video/mp4")
    handle(load_event("delete_job"), "delete_job")


def _read_of_parts(services: VideoJobs, _: Path) -> None:
    RunInParts(services, running_job(services), [[frame(0)], []]).store(1)
    handle(asked("results", {"partial": "true"}), "results")


def _worker_looks_at_the_fleet(services: VideoJobs, _: Path) -> None:
    logger = Logger(service="retirement")
    protection = ScaleInProtection("", services.ports.clock, logger)
    Retirement(services, "worker:1", protection, StopSignal(grace_s=0), logger).look()


def _expired_chunks(services: VideoJobs, _: Path) -> Any:
    """The client never completed a multipart upload."""
    awaiting_chunks(services, 10, due_at=NOW)
    return handle(load_event("reconcile_schedule"), "reconcile_schedule")


def _fetch_that_begins_again(services: VideoJobs, _: Path) -> None:
    """The server breaks off, and cannot go on where it did."""
    source = fetching_job(services)
    source.has_ranges = False
    source.faults.append(1000)
    for _again in range(2):
        handle(load_event("fetch_source"), "fetch_source")


def _fetch_that_has_ended(services: VideoJobs, _: Path) -> None:
    """The function died after it had joined the chunks; its message comes again."""
    fetching_job(services)
    job = stored_job(services)
    put_only_chunk(os.environ["BUCKET_NAME"], job)
    upload_id = job.upload.multipart_id or ""
    services.ports.uploads.complete(
        job.upload.key, upload_id, services.ports.uploads.list_chunks(job.upload.key, upload_id)
    )
    handle(load_event("fetch_source"), "fetch_source")


def _lost_fetch(services: VideoJobs, _: Path) -> None:
    fetching_job(services, due_at=NOW)
    handle(load_event("reconcile_schedule"), "reconcile_schedule")


def _cancel_with_one_waiting(services: VideoJobs, _: Path) -> None:
    running_job(services)
    waiting_job(services)
    handle(load_event("cancel_job"), "cancel_job")


def _dead_letter_with_one_waiting(services: VideoJobs, _: Path) -> None:
    queued_job(services)
    waiting_job(services)
    handle(load_event("dead_letter"), "dead_letter")


def _refused_submit(services: VideoJobs, _: Path) -> None:
    """Its owner has as many jobs as he may have; reconcile looks whether that is so."""
    services.rules = replace(services.rules, quotas=Quotas(open_jobs=1))
    services.__dict__.pop("intake", None)
    waiting_job(services)
    handle(load_event("submit_json"), "submit_json")
    handle(load_event("reconcile_schedule"), "reconcile_schedule")


def _refused_upload(services: VideoJobs, folder: Path) -> None:
    saved_job(services)
    garbage = folder / "garbage"
    garbage.write_bytes(b"no video")
    services.ports.storage.save_file(VIDEO, garbage, "video/mp4")
    handle(with_version_of_video(load_event("upload_received"), services), "upload_received")


def _upload_without_a_turn(services: VideoJobs, _: Path) -> None:
    _all_turns_taken(services)
    saved_job(services)
    uploaded_video(services)
    handle(with_version_of_video(load_event("upload_received"), services), "upload_received")


def _late_upload_without_a_turn(services: VideoJobs, folder: Path) -> None:
    _all_turns_taken(services)
    late_upload(services, folder)


def _lost_turn(services: VideoJobs, _: Path) -> None:
    """Reconcile finds a waiting job, and no free turn."""
    _all_turns_taken(services)
    waiting_job(services)
    handle(load_event("reconcile_schedule"), "reconcile_schedule")


def _all_turns_taken(services: VideoJobs) -> None:
    for number in range(services.rules.running_per_owner):
        saved_job(services, job_id=f"{number:08x}{EVENT_JOB_ID[8:]}", upload=ACCEPTED)


def _fetch_that_fails(services: VideoJobs, _: Path) -> None:
    fetching_job(services).faults.append(SourceNotFoundError())
    handle(load_event("fetch_source"), "fetch_source")


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
    services.ports.jobs.list_due = lambda *_: iter([job])  # type: ignore[method-assign]
    return handle(load_event("reconcile_schedule"), "reconcile_schedule")
