"""Keep Ultralytics from installing, downloading, sending analytics and writing into the home folder."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def quiet_ultralytics() -> None:
    """Set the variables that Ultralytics and OpenVINO read on import; call this before importing them."""
    config_dir = Path(tempfile.gettempdir()) / "video-worker-ultralytics"
    config_dir.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("YOLO_CONFIG_DIR", str(config_dir))
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")
    os.environ.setdefault("YOLO_OFFLINE", "true")
    os.environ.setdefault("YOLO_VERBOSE", "false")
    os.environ.setdefault("OPENVINO_TELEMETRY_DISABLED", "1")
