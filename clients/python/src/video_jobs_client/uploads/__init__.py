"""How a video gets from here to the service."""

from video_jobs_client.uploads.progress import UploadState
from video_jobs_client.uploads.sources import Source
from video_jobs_client.uploads.submission import StorageMethod, UploadSettings, begin_upload, submit

__all__ = [
    "Source",
    "StorageMethod",
    "UploadSettings",
    "UploadState",
    "begin_upload",
    "submit",
]
