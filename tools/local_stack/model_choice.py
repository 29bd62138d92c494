"""Which model the local stack runs: the one that was named, or with ``auto`` the first that is there."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOWNLOADED = ROOT / ".cache" / "models" / "yolo11n.pt"
OFFLINE_MODELS = {
    ROOT / "gpu_worker_image" / "models" / "street_demo": "the project's own small model",
    ROOT.parent / "shared" / "models" / "yolo11n_int8_openvino_model": "YOLO11n (COCO)",
}
_DOWNLOAD_HOST = ("github.com", 443)
_DOWNLOAD = "import sys, ultralytics; ultralytics.YOLO(sys.argv[1])"


class NoModelError(Exception):
    """There is no model to run."""


def choose_model(wanted: str) -> tuple[Path, str]:
    """The model's path, and a line that says which it is and why."""
    if wanted != "auto":
        path = Path(wanted).expanduser().resolve()
        if not path.exists():
            raise NoModelError(f"There is no model at {wanted}; name one, or MODEL=auto")
        return path, f"Model: {path.name}, as you asked"
    if DOWNLOADED.is_file() or (_internet_is_there() and _download()):
        return DOWNLOADED, "Model: yolo11n.pt (COCO, 80 classes) from Ultralytics"
    for path, what in OFFLINE_MODELS.items():
        if (path / "metadata.yaml").is_file():
            return path, f"Model: {path.name}, {what} (no yolo11n.pt here, and none can be downloaded)"
    raise NoModelError(
        "yolo11n.pt cannot be downloaded here and there is no other model: give one with MODEL=path"
    )


def _internet_is_there() -> bool:
    try:
        socket.create_connection(_DOWNLOAD_HOST, timeout=3).close()
    except OSError:
        return False
    return True


def _download() -> bool:
    DOWNLOADED.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", _DOWNLOAD, str(DOWNLOADED)],
        env={**os.environ, "YOLO_CONFIG_DIR": str(DOWNLOADED.parent), "YOLO_AUTOINSTALL": "false"},
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        DOWNLOADED.unlink(missing_ok=True)
    return DOWNLOADED.is_file()
