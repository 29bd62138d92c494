"""Settings come typed from the environment."""

from __future__ import annotations

import pytest
from video_jobs.domain.errors import SettingError
from video_jobs.settings import ServiceSettings

NEEDED = {"TABLE_NAME": "jobs", "BUCKET_NAME": "media"}


def test_defaults_and_values() -> None:
    settings = ServiceSettings.from_environment(NEEDED | {"MAX_BODY_BYTES": "1000"})
    assert (settings.table_name, settings.max_body_bytes, settings.queue_order) == ("jobs", 1000, "job")
    assert settings.known_pipelines == {"yolo_ocr", "yolo_ocr_regions", "yolo_only", "ocr_only"}


@pytest.mark.parametrize(
    ("name", "value"),
    [("TABLE_NAME", ""), ("MAX_BODY_BYTES", "x"), ("MAX_BODY_BYTES", "0"), ("QUEUE_ORDER", "any")],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=name):
        ServiceSettings.from_environment(NEEDED | {name: value})
