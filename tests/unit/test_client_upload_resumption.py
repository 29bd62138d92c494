"""What becomes of an upload whose program was killed, or that two programs send at the same time."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from video_jobs_client import errors
from video_jobs_client.uploads import UploadSettings

from tests.support.played_service import JOB_ID, answer, job, problem
from tests.support.played_storage import Storage

pytestmark = pytest.mark.usefixtures("cache")
FORM, PARTS, BODY = (UploadSettings(method=name, parallel=1) for name in ("form", "multipart", "body"))


class KilledError(Exception):
    """The program ends, wherever it is."""


def submit(service: Storage, clip: Path, upload: UploadSettings) -> str:
    with service.client() as client:
        return client.analyse(clip, upload=upload).id


@pytest.fixture
def killed(clip: Path) -> Storage:
    """A service to which a program sent a form when it was killed."""
    service = Storage(storage=[KilledError()])
    with pytest.raises(KilledError):
        submit(service, clip, FORM)
    return service


@pytest.mark.parametrize("reply", [answer(job("failed")), problem("job_not_found", 404)])
def test_a_form_is_not_sent_to_a_job_that_has_expired(
    killed: Storage, clip: Path, cache: Path, reply: httpx2.Response
) -> None:
    killed.breaks[JOB_ID] = [reply]
    submit(killed, clip, FORM)
    assert (killed.jobs, len(killed.forms), list(cache.iterdir())) == (2, 1, [])


@pytest.mark.parametrize(("status", "forms"), [("pending", 1), ("running", 0), ("completed", 0)])
def test_a_form_is_sent_again_only_if_it_may_not_have_arrived(
    killed: Storage, clip: Path, status: str, forms: int
) -> None:
    killed.breaks[JOB_ID] = [answer(job(status))]
    assert submit(killed, clip, FORM) == JOB_ID
    assert (killed.jobs, len(killed.forms)) == (1, forms)


def test_a_video_in_the_request_is_sent_anew_if_its_job_has_failed(clip: Path) -> None:
    service = Storage(submit=[KilledError()])
    with pytest.raises(KilledError):
        submit(service, clip, BODY)
    service.breaks[JOB_ID] = [answer(job("failed"))]
    submit(service, clip, BODY)
    assert service.jobs == 2


def test_another_method_than_the_one_without_an_answer_begins_anew_at_once(clip: Path, cache: Path) -> None:
    service = Storage(submit=[httpx2.ReadError("cut") for _ in range(6)])
    with pytest.raises(errors.ServiceUnreachableError):
        submit(service, clip, BODY)
    service.breaks["submit"] = [problem("idempotency_mismatch", 422)]
    assert submit(service, clip, FORM) == JOB_ID
    asked = [one.headers["idempotency-key"] for one in service.asked if one.url.path == "/video/submit"]
    assert (len(set(asked[:7])), asked[7] != asked[6]) == (1, True)
    assert (len(service.forms), list(cache.iterdir())) == (1, [])


KEPT = {"key": "k", "begun_at": 4e9, "job_id": JOB_ID}


@pytest.mark.parametrize(
    "damaged",
    [
        b'{"key": "\xff", "begun_at": 4e9}',
        b"\xff",
        b"",
        b"[" * 100_000,
        *(
            json.dumps({**KEPT, **changed}).encode()
            for changed in (
                {"key": "\u00e9", "job_id": None},
                {"key": "a\nb", "job_id": None},
                {"key": "", "job_id": None},
                {"key": "k" * 1000, "job_id": None},
                {"job_id": ".."},
                {"job_id": ""},
                {"job_id": "\u00e9"},
            )
        ),
    ],
)
def test_a_damaged_file_does_not_hinder_an_upload(damaged: bytes, clip: Path, cache: Path) -> None:
    # GIVEN an upload that was interrupted, and whose file was damaged since
    service = Storage(submit=[httpx2.ReadError("cut") for _ in range(6)])
    with pytest.raises(errors.ServiceUnreachableError):
        submit(service, clip, PARTS)
    (kept,) = cache.iterdir()
    kept.write_bytes(damaged)
    # WHEN the video is submitted again, THEN it begins anew
    assert submit(service, clip, PARTS) == JOB_ID
    keys = [one.headers["idempotency-key"] for one in service.asked if one.url.path == "/video/submit"]
    assert (len(set(keys)), service.is_complete, list(cache.iterdir())) == (2, True, [])


Race = Callable[[Storage], None]


def at_the_completion(service: Storage) -> None:
    service.breaks["complete"] = [problem("job_state", 409)]


def at_a_signature(service: Storage) -> None:
    service.breaks["parts"] = [problem("job_state", 409)]


def at_a_part(service: Storage) -> None:
    service.breaks["storage"] = [httpx2.Response(404, content=b"<Code>NoSuchUpload</Code>")]


@pytest.mark.parametrize("race", [at_the_completion, at_a_signature, at_a_part])
@pytest.mark.parametrize("status", ["pending", "completed"])
def test_an_upload_that_another_program_completes_first_is_complete(
    clip: Path, race: Race, status: str
) -> None:
    service = Storage(upload=[problem("job_state", 409)])
    service.breaks[JOB_ID] = [answer(job(status))]
    race(service)
    assert submit(service, clip, PARTS) == JOB_ID
    assert service.jobs == 1


@pytest.mark.parametrize("race", [at_the_completion, at_a_signature, at_a_part])
@pytest.mark.parametrize(
    "replies", [{"upload": [problem("job_state", 409)], JOB_ID: [answer(job("failed"))]}, {}]
)
def test_an_upload_that_another_program_gave_up_or_that_still_waits_is_an_error(
    clip: Path, race: Race, replies: dict[str, Any]
) -> None:
    service = Storage(**{name: [*some] for name, some in replies.items()})
    race(service)
    with pytest.raises((errors.JobStateError, errors.UploadError)):
        submit(service, clip, PARTS)
    assert json.loads(service.asked[0].content)["upload_method"] == "multipart"
