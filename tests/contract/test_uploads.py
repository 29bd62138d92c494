"""One contract for uploads in chunks, over memory and S3 (moto)."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from video_jobs.adapters.aws.s3_multipart import S3MultipartUploads
from video_jobs.domain.errors import FileMissingError, InvalidKeyError
from video_jobs.ports import StorageService

from tests.contract.conftest import UploadsUnderTest

KEY = "video_jobs/a.mp4"


@pytest.fixture
def upload_id(made: UploadsUnderTest) -> str:
    """An upload that has begun."""
    return made.uploads.create(KEY, "video/mp4")


def content_of(storage: StorageService, key: str = KEY) -> bytes:
    return storage.read_range(key, 0, 1000)


def test_an_upload_begins_without_chunks_and_is_no_file(made: UploadsUnderTest, upload_id: str) -> None:
    assert made.uploads.list_chunks(KEY, upload_id) == []
    assert made.storage.find_file(KEY) is None
    assert list(made.storage.list_keys("")) == []


def test_chunks_are_listed_by_number_in_whatever_order_they_came(
    made: UploadsUnderTest, upload_id: str
) -> None:
    for number, content in ((3, b"c"), (1, b"aaa"), (2, b"bb")):
        made.put(KEY, upload_id, number, content)
    chunks = made.uploads.list_chunks(KEY, upload_id)
    assert [(chunk.number, chunk.size_bytes) for chunk in chunks] == [(1, 3), (2, 2), (3, 1)]


def test_completing_makes_one_file_and_ends_the_upload(made: UploadsUnderTest, upload_id: str) -> None:
    made.put(KEY, upload_id, 2, b"world")
    made.put(KEY, upload_id, 1, b"hello ")
    made.uploads.complete(KEY, upload_id, made.uploads.list_chunks(KEY, upload_id))
    stored = made.storage.find_file(KEY)
    assert stored is not None
    assert stored.size_bytes == 11
    assert content_of(made.storage) == b"hello world"
    with pytest.raises(FileMissingError):
        made.uploads.list_chunks(KEY, upload_id)


def test_a_chunk_that_is_put_again_counts_once(made: UploadsUnderTest, upload_id: str) -> None:
    made.put(KEY, upload_id, 1, b"wrong")
    made.put(KEY, upload_id, 1, b"right!")
    chunks = made.uploads.list_chunks(KEY, upload_id)
    assert [(chunk.number, chunk.size_bytes) for chunk in chunks] == [(1, 6)]
    made.uploads.complete(KEY, upload_id, chunks)
    assert content_of(made.storage) == b"right!"


def test_the_service_puts_chunks_as_clients_do(made: UploadsUnderTest, upload_id: str) -> None:
    made.put(KEY, upload_id, 2, b"world")
    first = made.uploads.put_chunk(KEY, upload_id, 1, b"hello ")
    stored = made.uploads.list_chunks(KEY, upload_id)
    assert stored[0] == first
    assert (first.number, first.size_bytes) == (1, 6)
    made.uploads.complete(KEY, upload_id, [first, stored[1]])
    assert content_of(made.storage) == b"hello world"
    with pytest.raises(FileMissingError):
        made.uploads.put_chunk(KEY, upload_id, 3, b"late")


def test_s3_gets_no_checksum_with_a_chunk_of_an_upload_that_began_without(made: UploadsUnderTest) -> None:
    if not isinstance(made.uploads, S3MultipartUploads):
        return
    sent: list[str] = []
    events = made.uploads._client.meta.events
    events.register("before-send.s3", lambda request, **_: sent.extend(request.headers))
    made.uploads.put_chunk(KEY, made.uploads.create(KEY, "video/mp4"), 1, b"x")
    assert [name for name in sent if "checksum" in name.lower()] == []
    assert sent


def test_two_uploads_of_one_key_do_not_mix(made: UploadsUnderTest) -> None:
    first, second = (made.uploads.create(KEY, "video/mp4") for _ in range(2))
    made.put(KEY, first, 1, b"one")
    assert made.uploads.list_chunks(KEY, second) == []
    made.put(KEY, second, 1, b"two")
    made.uploads.complete(KEY, second, made.uploads.list_chunks(KEY, second))
    assert content_of(made.storage) == b"two"
    assert len(made.uploads.list_chunks(KEY, first)) == 1


def test_an_aborted_upload_is_gone_and_aborting_it_again_is_no_error(
    made: UploadsUnderTest, upload_id: str
) -> None:
    made.put(KEY, upload_id, 1, b"x")
    for _ in range(2):
        made.uploads.abort(KEY, upload_id)
    with pytest.raises(FileMissingError):
        made.uploads.list_chunks(KEY, upload_id)
    assert made.storage.find_file(KEY) is None


def test_an_upload_that_is_gone_cannot_be_completed(made: UploadsUnderTest, upload_id: str) -> None:
    made.put(KEY, upload_id, 1, b"x")
    chunks = made.uploads.list_chunks(KEY, upload_id)
    made.uploads.abort(KEY, upload_id)
    with pytest.raises(FileMissingError):
        made.uploads.complete(KEY, upload_id, chunks)


def test_signing_asks_nobody_whether_the_upload_is_there(made: UploadsUnderTest) -> None:
    assert KEY in made.uploads.presign_chunk(KEY, "gone", 1, size_bytes=5, expires_s=60)


def test_s3_signs_number_length_and_time_of_a_chunk(made: UploadsUnderTest) -> None:
    if not isinstance(made.uploads, S3MultipartUploads):
        return
    url = urlsplit(made.uploads.presign_chunk(KEY, "u", 7, size_bytes=5, expires_s=60))
    query = parse_qs(url.query)
    assert (query["partNumber"], query["uploadId"], query["X-Amz-Expires"]) == (["7"], ["u"], ["60"])
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert "content-length" in query["X-Amz-SignedHeaders"][0].split(";")


@pytest.mark.parametrize("key", ["../x", "/etc/passwd", ""])
def test_a_key_that_leads_out_is_refused(made: UploadsUnderTest, key: str) -> None:
    with pytest.raises(InvalidKeyError):
        made.uploads.create(key, "video/mp4")
    with pytest.raises(InvalidKeyError):
        made.uploads.presign_chunk(key, "u", 1, size_bytes=5, expires_s=60)
