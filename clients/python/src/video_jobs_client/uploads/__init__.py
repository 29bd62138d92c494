"""How a video gets from here to the service."""

from video_jobs_client.uploads.progress import UploadState
from video_jobs_client.uploads.sources import Source
from video_jobs_client.uploads.submission import UploadSettings, submit

__all__ = ["Source", "UploadSettings", "UploadState", "submit"]
