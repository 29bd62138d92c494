"""How a video gets from here to the service."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import BinaryIO, Literal, TypeAlias

from video_jobs_client.options import Options, as_json, as_query
from video_jobs_client.protocol.calls import Calls
from video_jobs_client.protocol.effects import Steps

Source: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO
"""A path, a URL (``https://``), the content itself, or an open binary file."""


@dataclass(frozen=True, slots=True)
class UploadSettings:
    """How to upload."""

    method: Literal["auto", "body", "form", "multipart"] = "auto"


def submit(calls: Calls, source: Source, options: Options, settings: UploadSettings, key: str) -> Steps[str]:
    """Submit a job with its video; gives the job_id."""
    if isinstance(source, str) and source.startswith("https://"):
        return (yield from calls.submit_json({"source_url": source, **as_json(options)}, key)).job_id
    content = source if isinstance(source, bytes) else open(os.fspath(source), "rb").read()  # type: ignore  # noqa
    return (yield from calls.submit_body(content, as_query(options), key)).job_id
