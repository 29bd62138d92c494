"""Files in a versioned S3 bucket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from video_jobs.adapters.aws.errors import error_code, transient_errors_translated
from video_jobs.domain.errors import FileMissingError
from video_jobs.domain.keys import checked_key
from video_jobs.ports import PresignedUpload, StoredFile, UploadTerms

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MISSING_CODES = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NotFound"})
_BLOCK_BYTES = 1 << 20


class S3Storage:
    """Stores files in one bucket; the client must sign with Signature Version 4."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def save_file(self, key: str, source: Path, content_type: str) -> StoredFile:
        """Upload the file at ``source``; S3 shows an object only after all of it has arrived."""
        with source.open("rb") as body, transient_errors_translated("S3"):
            answer = self._client.put_object(
                Bucket=self._bucket, Key=checked_key(key), Body=body, ContentType=content_type
            )
        return StoredFile(key, answer.get("VersionId"), source.stat().st_size)

    def load_file(self, key: str, target: Path, version: str | None = None) -> None:
        """Download to ``target``, in blocks."""
        with self._reading(key):
            body = self._client.get_object(**self._object(key, version))["Body"]
            try:
                with target.open("wb") as file:
                    for block in body.iter_chunks(_BLOCK_BYTES):
                        file.write(block)
            except BaseException:
                target.unlink(missing_ok=True)
                raise

    def delete_file(self, key: str) -> None:
        """Delete the object (in a versioned bucket its older versions expire by lifecycle)."""
        with transient_errors_translated("S3"):
            self._client.delete_object(Bucket=self._bucket, Key=checked_key(key))

    def find_file(self, key: str, version: str | None = None) -> StoredFile | None:
        """HEAD the object."""
        try:
            with self._reading(key):
                answer = self._client.head_object(**self._object(key, version))
        except FileMissingError:
            return None
        return StoredFile(key, version or answer.get("VersionId"), answer["ContentLength"])

    def read_range(self, key: str, start: int, length: int, version: str | None = None) -> bytes:
        """GET a byte range."""
        if length <= 0:
            return b""
        wanted = f"bytes={start}-{start + length - 1}"
        try:
            with self._reading(key):
                answer = self._client.get_object(**self._object(key, version), Range=wanted)
                return answer["Body"].read()
        except ClientError as exc:
            if error_code(exc) == "InvalidRange":
                return b""
            raise

    def list_keys(self, prefix: str) -> Iterator[str]:
        """The keys that begin with ``prefix``; S3 lists them sorted, in pages."""
        with transient_errors_translated("S3"):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            for page in pages:
                yield from (entry["Key"] for entry in page.get("Contents", []))

    def presign_upload(self, key: str, terms: UploadTerms, now: datetime) -> PresignedUpload:
        """Sign a POST policy for exactly this key and type, and at most ``max_bytes``."""
        fields = {"Content-Type": terms.content_type}
        if terms.checksum_sha256 is not None:
            fields |= {"x-amz-checksum-algorithm": "SHA256", "x-amz-checksum-sha256": terms.checksum_sha256}
        exact = [{name: value} for name, value in fields.items()]
        conditions: list[Any] = [*exact, ["content-length-range", 1, terms.max_bytes]]
        form = self._client.generate_presigned_post(
            self._bucket, checked_key(key), Fields=fields, Conditions=conditions, ExpiresIn=terms.expires_s
        )
        until = now + timedelta(seconds=terms.expires_s)
        return PresignedUpload(form["url"], form["fields"], until, terms.max_bytes)

    def presign_download(self, key: str, *, expires_s: int, version: str | None = None) -> str:
        """Sign a GET of the object."""
        return self._client.generate_presigned_url(
            "get_object", Params=self._object(key, version), ExpiresIn=expires_s
        )

    def _object(self, key: str, version: str | None) -> Any:
        named = {"Bucket": self._bucket, "Key": checked_key(key)}
        return named | ({"VersionId": version} if version is not None else {})

    @contextmanager
    def _reading(self, key: str) -> Iterator[None]:
        try:
            with transient_errors_translated("S3"):
                yield
        except ClientError as exc:
            if error_code(exc) in MISSING_CODES:
                raise FileMissingError(f"There is no file {key!r} in the storage") from exc
            raise
