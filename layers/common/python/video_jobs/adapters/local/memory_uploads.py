"""In-memory counterpart of S3's multipart uploads."""

from __future__ import annotations

from itertools import count

from video_jobs.adapters.local.memory_storage import MemoryStorage
from video_jobs.domain.errors import FileMissingError
from video_jobs.domain.keys import checked_key
from video_jobs.ports import StoredChunk


class MemoryMultipartUploads:
    """Uploads into a `MemoryStorage`; `put_chunk` also does what a PUT to a signed URL does on S3."""

    def __init__(self, storage: MemoryStorage) -> None:
        self._storage = storage
        self._numbers = count(1)
        self._uploads: dict[str, dict[int, bytes]] = {}

    def create(self, key: str, content_type: str) -> str:
        """Begin an upload."""
        upload_id = f"upload-{checked_key(key)}-{next(self._numbers)}"
        self._uploads[upload_id] = {}
        return upload_id

    def presign_chunk(self, key: str, upload_id: str, number: int, *, size_bytes: int, expires_s: int) -> str:
        """An unsigned URL."""
        return f"memory:{checked_key(key)}?upload={upload_id}&chunk={number}&size={size_bytes}"

    def put_chunk(self, key: str, upload_id: str, number: int, content: bytes) -> StoredChunk:
        """Keep one chunk."""
        self._chunks(upload_id)[number] = content
        return StoredChunk(number, len(content), f'"{number}"')

    def list_chunks(self, key: str, upload_id: str) -> list[StoredChunk]:
        """The chunks that were uploaded, sorted by number."""
        chunks = sorted(self._chunks(upload_id).items())
        return [StoredChunk(number, len(content), f'"{number}"') for number, content in chunks]

    def complete(self, key: str, upload_id: str, chunks: list[StoredChunk]) -> None:
        """Join the chunks."""
        content = self._chunks(upload_id)
        self._storage.save_bytes(key, b"".join(content[chunk.number] for chunk in chunks))
        del self._uploads[upload_id]

    def abort(self, key: str, upload_id: str) -> None:
        """Forget the upload."""
        self._uploads.pop(upload_id, None)

    def _chunks(self, upload_id: str) -> dict[int, bytes]:
        if upload_id not in self._uploads:
            raise FileMissingError("There is no such upload")
        return self._uploads[upload_id]
