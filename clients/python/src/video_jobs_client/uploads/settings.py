"""Whether an upload can be done as it is asked for, before there is a job."""

from __future__ import annotations

from video_jobs_client.errors import ArgumentError
from video_jobs_client.uploads.submission import UploadSettings


def checked_settings(settings: UploadSettings | None) -> UploadSettings:
    """The settings, or the usual ones.

    Raises
    ------
    ArgumentError
        If they send nothing at the same time.
    """
    if settings is None:
        return UploadSettings()
    if settings.parallel < 1:
        raise ArgumentError(
            f"UploadSettings(parallel={settings.parallel}): at least 1 part is sent at a time"
        )
    return settings
