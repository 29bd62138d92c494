"""The form that uploads a video to S3 in one request.

Source: RFC 7578; S3 takes the file as the last field.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from video_jobs_client.protocol.effects import Body


@dataclass(frozen=True, slots=True)
class Form:
    """Fields and one file, of a known size."""

    boundary: str
    head: bytes
    file: Body
    tail: bytes

    @property
    def content_type(self) -> str:
        """With the boundary."""
        return f"multipart/form-data; boundary={self.boundary}"

    @property
    def size_bytes(self) -> int:
        """All of it."""
        return len(self.head) + self.file.size_bytes + len(self.tail)

    def chunks(self) -> Iterator[bytes]:
        """Fields, file, end."""
        yield self.head
        yield from self.file.chunks()
        yield self.tail


def form_of(fields: Mapping[str, str], file: Body) -> Form:
    """The form as S3 takes it."""
    boundary = secrets.token_hex(16)
    opening = f"--{boundary}\r\ncontent-disposition: form-data; "
    head = "".join(f'{opening}name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items())
    head += f'{opening}name="file"; filename="video"\r\ncontent-type: application/octet-stream\r\n\r\n'
    return Form(boundary, head.encode(), file, f"\r\n--{boundary}--\r\n".encode())
