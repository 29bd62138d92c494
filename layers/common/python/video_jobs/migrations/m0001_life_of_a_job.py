"""Items of the first implementation: identity, status and paths, but no owner, counters or limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_OPEN = ("pending", "running")


def changes(item: Mapping[str, Any]) -> dict[str, Any]:
    """The missing attributes. An open job counts as accepted and is due at once, so reconcile sends it."""
    created_at = item["created_at"]
    defaults: dict[str, Any] = {
        "owner": {"S": "local"},
        "pipeline_id": {"S": "yolo_ocr"},
        "frame_stride": {"N": "1"},
        "part_frames": {"N": "256"},
        "input_path": {"S": f"video_jobs/{item['job_id']['S']}.mp4"},
        "upload_state": {"S": "accepted"},
        "updated_at": created_at,
        "generation": {"N": "0"},
        "attempt": {"N": "0"},
        "failures": {"N": "0"},
        "crashes": {"N": "0"},
        "frames_done": {"N": "0"},
        "warnings": {"L": []},
    }
    if item["status"]["S"] in _OPEN:
        defaults["due_at"] = created_at
    return {name: value for name, value in defaults.items() if name not in item}
