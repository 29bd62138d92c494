"""With PP-OCR too, nobody can tell from the results how many threads worked on the frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.make_scene_mp4 import PATH as SCENE
from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.integration.test_overlap import CHOICE, check_bytes


@pytest.mark.parametrize(
    ("path", "pipeline_id", "chosen"),
    [(SCENE, "yolo_ocr", CHOICE), (TINY, "yolo_ocr_regions", {})],
)
def test_the_bytes_do_not_depend_on_threads_or_resuming(
    path: Path, pipeline_id: str, chosen: dict[str, Any]
) -> None:
    check_bytes("ppocr", path, pipeline_id, chosen)
