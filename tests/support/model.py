"""Which detection model the tests run: YOLO11n where it is present, otherwise the one that is shipped."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gpu_worker_image.models.street_demo_training import SHIPPED

SHARED = Path(__file__).parents[3] / "shared"
REAL_MODEL = SHARED / "models" / "yolo11n_int8_openvino_model"
PEOPLE = SHARED / "media" / "one-by-one-person-detection.mp4"
HAS_REAL_MODEL = REAL_MODEL.is_dir() and not os.environ.get("WITHOUT_SHARED")
MODEL = REAL_MODEL if HAS_REAL_MODEL else SHIPPED

needs_real_model = pytest.mark.skipif(
    not HAS_REAL_MODEL, reason="needs the YOLO11n beside the project, which knows people"
)
