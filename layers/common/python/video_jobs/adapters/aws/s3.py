"""Files in a versioned S3 bucket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from botocore.exceptions import ClientError

from video_jobs.adapters.aws.errors import error_code, transient_errors_translated
from video_jobs.adapters.new_file import new_file
from video_jobs.domain.byte_ranges import within
from video_jobs.domain.errors import FileMissingError, TransientError
from video_jobs.domain.keys import checked_key
from video_jobs.ports import PresignedUpload, StoredFile, UploadTerms

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MISSING_CODES = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NotFound"})
_BLOCK_BYTES = 1 << 20
_PART_BYTES = 1 << 28
_KEYS_A_REQUEST = 1000
"""What DeleteObjects takes."""


class S3Storage:
    """Stores files in one bucket; the client must sign with Signature Version 4.

    Parameters
    ----------
    part_bytes
        Files above this size are stored in parts of it. S3 takes 10,000 parts of 5 MiB to 5 GiB.
    """

    def __init__(self, client: S3Client, bucket: str, *, part_bytes: int = _PART_BYTES) -> None:
        self._client = client
        self._bucket = bucket
        self._part_bytes = part_bytes

    def save_file(self, key: str, source: Path, content_type: str) -> StoredFile:
        """Upload the file at ``source``; S3 shows an object only after all of it has arrived.

        A large file goes in parts: one request takes 5 GB at most.
        """
        size_bytes = source.stat().st_size
        with transient_errors_translated("S3"):
            if size_bytes > self._part_bytes:
                version = self._save_in_parts(checked_key(key), source, size_bytes, content_type)
                return StoredFile(key, version, size_bytes)
            with source.open("rb") as body:
                answer = self._client.put_object(
                    Bucket=self._bucket, Key=checked_key(key), Body=body, ContentType=content_type
                )
        return StoredFile(key, answer.get("VersionId"), size_bytes)

    def _save_in_parts(self, key: str, source: Path, size_bytes: int, content_type: str) -> str | None:
        """The version that the parts were joined to.

        boto3's transfer manager does not tell it, and asking for it later could find another one.
        """
        target: Any = {"Bucket": self._bucket, "Key": key}
        # boto3 sends a checksum with each part, which S3 takes only if it was told so at the beginning.
        upload = self._client.create_multipart_upload(
            **target, ContentType=content_type, ChecksumAlgorithm="CRC32"
        )
        target["UploadId"] = upload["UploadId"]
        try:
            parts: Any = [
                self._save_part(target, source, number, start)
                for number, start in enumerate(range(0, size_bytes, self._part_bytes), start=1)
            ]
            joined = self._client.complete_multipart_upload(**target, MultipartUpload={"Parts": parts})
        except BaseException:
            self._client.abort_multipart_upload(**target)
            raise
        return joined.get("VersionId")

    def _save_part(self, target: Any, source: Path, number: int, start: int) -> Any:
        from s3transfer.utils import ReadFileChunk  # only the worker has files of this size

        with ReadFileChunk.from_filename(str(source), start, self._part_bytes) as chunk:
            body: Any = chunk
            part = self._client.upload_part(**target, PartNumber=number, Body=body, ChecksumAlgorithm="CRC32")
        checksums = {name: value for name, value in part.items() if name == "ChecksumCRC32"}
        return {"PartNumber": number, "ETag": part["ETag"], **checksums}

    def load_file(self, key: str, target: Path, version: str | None = None) -> None:
        """Download to ``target``, in blocks."""
        with self._reading(key), new_file(target) as file:
            self._copy(self._object(key, version), file)

    def load_ranges(
        self, key: str, target: Path, ranges: Iterable[tuple[int, int]], version: str | None = None
    ) -> None:
        """GET each range in blocks; if no version is named, they are all of the one that is newest now."""
        found = self.find_file(key, version)
        if found is None:
            raise _missing(key)
        with self._reading(key), new_file(target) as file:
            file.truncate(found.size_bytes)
            for start, end in within(ranges, found.size_bytes):
                file.seek(start)
                self._copy(self._object(key, found.version) | {"Range": f"bytes={start}-{end - 1}"}, file)

    def _copy(self, wanted: Any, file: BinaryIO) -> None:
        for block in self._client.get_object(**wanted)["Body"].iter_chunks(_BLOCK_BYTES):
            file.write(block)

    def delete_file(self, key: str) -> None:
        """Delete the object (in a versioned bucket its older versions expire by lifecycle)."""
        with transient_errors_translated("S3"):
            self._client.delete_object(Bucket=self._bucket, Key=checked_key(key))

    def delete_files(self, keys: Iterable[str]) -> None:
        """DeleteObjects, in batches; its answer may be a success although it left some objects."""
        checked = map(checked_key, keys)
        while batch := list(islice(checked, _KEYS_A_REQUEST)):
            named: Any = {"Objects": [{"Key": key} for key in batch], "Quiet": True}
            with transient_errors_translated("S3"):
                answer = self._client.delete_objects(Bucket=self._bucket, Delete=named)
            left = answer.get("Errors", [])
            if left:
                raise TransientError(f"S3 did not delete {len(left)} files ({left[0].get('Code')})")

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
                raise _missing(key) from exc
            raise


def _missing(key: str) -> FileMissingError:
    return FileMissingError(f"There is no file {key!r} in the storage")
