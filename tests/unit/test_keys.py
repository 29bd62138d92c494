"""Storage keys; `test_properties` has more, and cursors."""

from __future__ import annotations

import pytest
from video_jobs.domain import keys
from video_jobs.domain.errors import InvalidKeyError

JOB_ID = "11111111-1111-4111-8111-111111111111"


def test_keys_depend_on_the_job_alone() -> None:
    assert keys.video_key(JOB_ID) == f"video_jobs/{JOB_ID}.mp4"
    assert keys.results_key(JOB_ID) == f"video_jobs/{JOB_ID}_results.json"
    assert keys.job_id_of_video(keys.results_key(JOB_ID)) is None
    assert keys.job_id_of_video("video_jobs/readme.mp4") is None


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../x", "a/../../x", "a//b", "./a", "a\\b", "a\nb"])
def test_a_key_that_leaves_the_storage_is_refused(key: str) -> None:
    with pytest.raises(InvalidKeyError):
        keys.checked_key(key)
