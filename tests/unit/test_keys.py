"""Storage keys and cursors."""

from __future__ import annotations

import pytest
from video_jobs.domain import cursor, keys
from video_jobs.domain.errors import InvalidCursorError, InvalidKeyError

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


@pytest.mark.parametrize("text", ["", "1234", "äö", "djI6MQ", "djE6LTE", "A" * 400, "A" * 9000])
def test_a_foreign_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursorError):
        cursor.decode_cursor(text, "ann")
