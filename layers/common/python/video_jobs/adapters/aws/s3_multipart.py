"""Multipart uploads into a versioned S3 bucket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from video_jobs.adapters.aws.errors import error_code, transient_errors_translated
from video_jobs.domain.errors import FileMissingError
from video_jobs.domain.keys import checked_key
from video_jobs.ports import StoredChunk

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3MultipartUploads:
    """Multipart uploads into one bucket; S3 calls a chunk a part.

    The client must sign with Signature Version 4; the signature of a URL covers the chunk's length.
    """

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def create(self, key: str, content_type: str) -> str:
        """CreateMultipartUpload; the bucket's lifecycle aborts an upload that is never completed."""
        with transient_errors_translated("S3"):
            answer = self._client.create_multipart_upload(
                Bucket=self._bucket, Key=checked_key(key), ContentType=content_type
            )
        return answer["UploadId"]

    def presign_chunk(self, key: str, upload_id: str, number: int, *, size_bytes: int, expires_s: int) -> str:
        """Sign the PUT of one chunk."""
        parameters = {
            "Bucket": self._bucket,
            "Key": checked_key(key),
            "UploadId": upload_id,
            "PartNumber": number,
            "ContentLength": size_bytes,
        }
        return self._client.generate_presigned_url("upload_part", Params=parameters, ExpiresIn=expires_s)

    def put_chunk(self, key: str, upload_id: str, number: int, content: bytes) -> StoredChunk:
        """UploadPart."""
        with self._of_upload(key):
            part = self._client.upload_part(
                Bucket=self._bucket,
                Key=checked_key(key),
                UploadId=upload_id,
                PartNumber=number,
                Body=content,
            )
        return StoredChunk(number, len(content), part["ETag"])

    def list_chunks(self, key: str, upload_id: str) -> list[StoredChunk]:
        """ListParts, in pages."""
        with self._of_upload(key):
            pages = self._client.get_paginator("list_parts").paginate(
                Bucket=self._bucket, Key=checked_key(key), UploadId=upload_id
            )
            return [
                StoredChunk(part["PartNumber"], part["Size"], part["ETag"])
                for page in pages
                for part in page.get("Parts", [])
            ]

    def complete(self, key: str, upload_id: str, chunks: list[StoredChunk]) -> None:
        """CompleteMultipartUpload."""
        listed = [{"PartNumber": chunk.number, "ETag": chunk.etag} for chunk in chunks]
        with self._of_upload(key):
            self._client.complete_multipart_upload(
                Bucket=self._bucket,
                Key=checked_key(key),
                UploadId=upload_id,
                MultipartUpload={"Parts": listed},  # type: ignore[typeddict-item]
            )

    def abort(self, key: str, upload_id: str) -> None:
        """AbortMultipartUpload; an upload that does not exist is no error."""
        try:
            with self._of_upload(key):
                self._client.abort_multipart_upload(
                    Bucket=self._bucket, Key=checked_key(key), UploadId=upload_id
                )
        except FileMissingError:
            return

    @contextmanager
    def _of_upload(self, key: str) -> Iterator[None]:
        try:
            with transient_errors_translated("S3"):
                yield
        except ClientError as exc:
            if error_code(exc) == "NoSuchUpload":
                raise FileMissingError(f"There is no such upload of {key!r}") from exc
            raise
