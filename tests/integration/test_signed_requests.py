"""What is signed for clients: as much as the signature can bind, for as short as it can be."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from video_jobs.adapters.aws.s3 import S3Storage
from video_jobs.adapters.aws.s3_multipart import S3MultipartUploads
from video_jobs.application import VideoJobs
from video_jobs.bootstrap import s3_client
from video_jobs.domain.content_types import VIDEO_CONTENT_TYPES
from video_jobs.ports import UploadTerms

from tests.integration.conftest import call, load_event
from tests.support.aws import Resources

REGIONS = ("us-east-1", "eu-west-1", "eu-central-1", "ap-south-2")
CHECKSUM = b64encode(sha256(b"video").digest()).decode()


def conditions_of(upload: dict[str, Any]) -> tuple[list[Any], datetime]:
    policy = json.loads(b64decode(upload["fields"]["policy"]))
    return policy["conditions"], datetime.fromisoformat(policy["expiration"])


def submitted(**body: Any) -> tuple[int, dict[str, Any]]:
    return call(load_event("submit_json") | {"body": json.dumps(body)})


@pytest.mark.parametrize("named", [{}, *({"content_type": kind} for kind in VIDEO_CONTENT_TYPES)])
def test_a_form_binds_key_type_size_and_time(
    services: VideoJobs, resources: Resources, named: dict[str, str]
) -> None:
    body = submitted(size_bytes=1234, **named)[1]
    conditions, until = conditions_of(body["upload"])
    assert {"key": f"video_jobs/{body['job_id']}.mp4"} in conditions
    assert {"bucket": resources.id("MediaBucket")} in conditions
    content_type = named.get("content_type", "video/mp4")
    assert [one for one in conditions if "Content-Type" in one] == [{"Content-Type": content_type}]
    assert body["upload"]["fields"]["Content-Type"] == content_type
    assert ["content-length-range", 1, 1234] in conditions
    assert {"x-amz-algorithm": "AWS4-HMAC-SHA256"} in conditions
    assert [one for one in conditions if isinstance(one, list) and one[0] == "starts-with"] == []
    assert until - datetime.now(UTC) <= services.rules.upload_expires
    assert body["upload"]["max_bytes"] == 1234


def test_a_checksum_is_part_of_the_policy(services: VideoJobs) -> None:
    upload = submitted(size_bytes=5, checksum_sha256=CHECKSUM)[1]["upload"]
    conditions, _ = conditions_of(upload)
    for name, value in (("x-amz-checksum-algorithm", "SHA256"), ("x-amz-checksum-sha256", CHECKSUM)):
        assert {name: value} in conditions
        assert upload["fields"][name] == value


def test_a_checksum_that_cannot_be_checked_is_refused(app: VideoJobs) -> None:
    wrong = [{"checksum_sha256": text} for text in ("abc", CHECKSUM[:-1], sha256(b"video").hexdigest())]
    for body in (*wrong, {"checksum_sha256": CHECKSUM, "upload_method": "multipart"}):
        status, problem = submitted(size_bytes=5, **body)
        assert (status, problem["code"]) == (400, "invalid_request")
        assert "checksum_sha256" in problem["detail"]


@pytest.mark.parametrize("region", REGIONS)
def test_every_region_signs_with_version_4_for_its_own_host(aws: None, region: str) -> None:
    client, now = s3_client(region), datetime.now(UTC)
    host = f"bucket.s3.{region}.amazonaws.com"
    storage, uploads = S3Storage(client, "bucket"), S3MultipartUploads(client, "bucket")
    terms = UploadTerms(content_type="video/mp4", max_bytes=9, expires_s=60)
    form = storage.presign_upload("k.mp4", terms, now)
    assert urlsplit(form.url).hostname == host
    assert f"/{region}/s3/aws4_request" in form.fields["x-amz-credential"]
    for url in (
        storage.presign_download("k.json", expires_s=60, version="v"),
        uploads.presign_chunk("k.mp4", "upload", 1, size_bytes=9, expires_s=60),
    ):
        parts, query = urlsplit(url), parse_qs(urlsplit(url).query)
        assert (parts.scheme, parts.hostname) == ("https", host)
        assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
        assert query["X-Amz-Expires"] == ["60"]
        assert "AWSAccessKeyId" not in query
