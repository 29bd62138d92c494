"""Every kind of video is read from many pictures on: the tests read each from a few only."""

from __future__ import annotations

from pathlib import Path

import pytest
from video_worker.video import index

from tests.fixtures.numbered_videos import make_numbered
from tests.integration.test_every_video import READ
from tests.support.readings import check_starts, read_video_file

STARTS = 16


@pytest.mark.parametrize("name", READ)
def test_a_picture_is_the_same_wherever_reading_starts(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not name.startswith("long"):
        monkeypatch.setattr(index, "SEGMENT_PACKETS", 1)  # else a short video has only one place to start at
    path = make_numbered(name, tmp_path).path
    check_starts(path, read_video_file(path).prints(), STARTS)
