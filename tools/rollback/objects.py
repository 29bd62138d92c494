"""The objects of the buckets as files, each compared with its object before anything is deleted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from video_jobs.adapters.aws.errors import error_code
from video_jobs.domain.keys import PARTS_PREFIX, VIDEO_SUFFIX, checked_key

from tools.rollback.deployment import BUCKET, Aws, Deployment
from tools.rollback.items import Item, is_open
from tools.rollback.lines import append_lines, file_hash, read_lines, write_lines
from tools.rollback.record import Resource, UnfinishedError

LISTING = "objects.jsonl"
_CHUNK = 2**20


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One version of one object, as the bucket lists it."""

    bucket: str
    key: str
    version: str
    is_latest: bool
    size: int
    etag: str

    @property
    def path(self) -> str:
        """Where its file lies in the folder of the export."""
        place = "objects" if self.is_latest else f"versions/{self.version}"
        return checked_key(f"{place}/{self.bucket}/{self.key}")


class Wanted:
    """Which objects an export takes.

    Results that are there, and every version that a job names. Work in progress is left out, as it can
    be computed again; videos are, except those of open jobs, unless ``with_videos``. What a client has
    deleted is in no job and not current, so it is not brought back.

    Parameters
    ----------
    with_results
        False takes the videos of open jobs only.
    """

    def __init__(self, items: Iterable[Item], *, with_results: bool, with_videos: bool) -> None:
        self._with_results, self._with_videos = with_results, with_videos
        self._versions: set[str] = set()
        self._open_videos: set[str] = set()
        for item in items:
            self._versions |= {value["S"] for name, value in item.items() if _names_a_version(name, value)}
            if is_open(item):
                self._open_videos.add(item.get("input_path", {}).get("S", ""))

    def takes(self, stored: StoredObject) -> bool:
        """Whether the export takes this version."""
        if stored.key.startswith(PARTS_PREFIX) or not (stored.is_latest or stored.version in self._versions):
            return False
        if stored.key in self._open_videos:
            return True
        return self._with_videos if stored.key.endswith(VIDEO_SUFFIX) else self._with_results


def _names_a_version(name: str, value: Mapping[str, Any]) -> bool:
    return name.endswith("_version") and "S" in value


def buckets_there(aws: Aws, deployment: Deployment) -> list[Resource]:
    """The deployment's buckets that have not been deleted."""
    return [bucket for bucket in deployment.of(BUCKET) if _is_there(aws, bucket)]


def _is_there(aws: Aws, bucket: Resource) -> bool:
    try:
        aws.client("s3").head_bucket(Bucket=bucket.physical_id)
    except ClientError as exc:
        if error_code(exc) in ("404", "NoSuchBucket"):
            return False
        raise
    return True


class ObjectFiles:
    """Files of the objects in a folder, and ``objects.jsonl``, which lists them with their hashes."""

    def __init__(self, aws: Aws, deployment: Deployment, folder: Path) -> None:
        self._s3 = aws.client("s3")
        self._buckets = [bucket.physical_id for bucket in buckets_there(aws, deployment)]
        self._folder = folder

    def stored(self, takes: Callable[[StoredObject], bool]) -> Iterator[StoredObject]:
        """The wanted versions that are in the buckets now."""
        for bucket in self._buckets:
            for page in self._s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
                versions = (_stored(bucket, entry) for entry in page.get("Versions", []))
                yield from filter(takes, versions)

    def save(self, takes: Callable[[StoredObject], bool]) -> None:
        """Fetch what is not there yet, and list all of it."""
        listed = {_identity(entry): entry for entry in self.listing()}
        wanted = []
        for stored in self.stored(takes):
            entry = listed.get(_identity(asdict(stored)))
            if entry is None or not self._has_file(entry):
                entry = self._fetch(stored)
                append_lines(self._folder / LISTING, [_line(entry)])
            wanted.append(_line(entry))
        write_lines(self._folder / LISTING, wanted)

    def verify(self, takes: Callable[[StoredObject], bool]) -> int:
        """Compare listing, files and buckets; answers how many objects.

        Raises
        ------
        UnfinishedError
            If they differ in number, size or content.
        """
        listed = {_identity(entry): entry for entry in self.listing()}
        there = {_identity(asdict(stored)): stored for stored in self.stored(takes)}
        if listed.keys() != there.keys():
            raise UnfinishedError("The bucket is not what was exported any more; run the export again")
        for identity, stored in there.items():
            if not self._is_same(stored, listed[identity]):
                raise UnfinishedError(f"The file of {stored.key} is not its object; run the export again")
        return len(there)

    def listing(self) -> Iterator[dict[str, Any]]:
        """What ``objects.jsonl`` holds."""
        yield from map(json.loads, read_lines(self._folder / LISTING))

    def _has_file(self, entry: Mapping[str, Any]) -> bool:
        path = self._folder / entry["path"]
        return path.is_file() and file_hash(path) == str(entry["sha256"])

    def _fetch(self, stored: StoredObject) -> dict[str, Any]:
        path = self._folder / stored.path
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(path.name + ".new")
        with new.open("wb") as file:
            file.writelines(self._content(stored))
        new.replace(path)
        return {**asdict(stored), "path": stored.path, "sha256": file_hash(path)}

    def _is_same(self, stored: StoredObject, entry: Mapping[str, Any]) -> bool:
        path = self._folder / stored.path
        if not self._has_file(entry) or path.stat().st_size != stored.size:
            return False
        if file_hash(path, "md5") == stored.etag:
            return True
        # The ETag of an upload in parts is no hash of its content: the object is read again.
        again = hashlib.sha256()
        for chunk in self._content(stored):
            again.update(chunk)
        return again.hexdigest() == str(entry["sha256"])

    def _content(self, stored: StoredObject) -> Iterator[bytes]:
        answer = self._s3.get_object(Bucket=stored.bucket, Key=stored.key, VersionId=stored.version)
        yield from answer["Body"].iter_chunks(_CHUNK)


def _stored(bucket: str, entry: Mapping[str, Any]) -> StoredObject:
    return StoredObject(
        bucket=bucket,
        key=entry["Key"],
        version=entry["VersionId"],
        is_latest=entry["IsLatest"],
        size=entry["Size"],
        etag=entry["ETag"].strip('"'),
    )


def _line(entry: Mapping[str, Any]) -> str:
    return json.dumps(entry, sort_keys=True, ensure_ascii=False)


def _identity(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(entry[name] for name in ("bucket", "key", "version", "is_latest", "size", "etag"))
