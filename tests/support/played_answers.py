"""Longer answers of the service that is played."""

from __future__ import annotations

from typing import Any

from tests.support.played_service import JOB_ID

SEEN = {"first_frame": 0, "last_frame": 2, "start_ms": 0.0, "end_ms": 1500.0}
SUMMARY: dict[str, Any] = {
    "version": 1,
    "video": {"width": 640, "height": 360, "duration_ms": 4000.0},
    "frames": 8,
    "sampling_interval_ms": 500.0,
    "classes": [],
    "tracks": [],
    "tracks_left_out": 0,
    "texts": [
        {
            "text_id": 1,
            "text": "EXIT 12",
            "confidence": 0.98,
            "agreement": 1.0,
            "frames": 3,
            "on_one_frame": False,
            "alternatives": [],
            "first_frame": 0,
            "last_frame": 2,
            "start_ms": 0.0,
            "end_ms": 61_500.0,
            "in_view_ms": 1500.0,
            "intervals": [SEEN],
            "intervals_joined": 0,
            "best": {"frame_index": 0, "timestamp_ms": 0.0, "xyxy": [0, 0, 1, 1], "confidence": 0.98},
            "path": [],
            "path_error_px": 0.0,
        }
    ],
    "texts_left_out": 0,
}
TOLD = {
    "summary": SUMMARY,
    "job_id": JOB_ID,
    "created_at": "2026-11-25T10:00:00Z",
    "updated_at": "2026-11-25T10:00:00Z",
    "summary_url": "https://bucket.example.com/s",
    "tracks_url": "https://bucket.example.com/t",
}

VIDEO = {
    "container": "mp4",
    "codec": "h264",
    "width": 640,
    "height": 360,
    "frame_count": 8,
    "duration_ms": 4000.0,
    "average_frame_rate": 2.0,
    "first_picture_ms": 0.0,
    "rotation": 0,
    "mirrored": False,
    "interlaced": False,
    "variable_frame_rate": False,
    "hdr": None,
}

QUOTE: dict[str, Any] = {
    "compute_seconds": 95.2,
    "cost_usd": 0.0139,
    "seconds_to_end": {"p50": 210.0, "p95": 7260.0},
    "video": {
        "size_bytes": 5,
        "duration_ms": 60_000.0,
        "average_frame_rate": 25.0,
        "frames": 120,
        "assumed": ["duration_ms", "average_frame_rate"],
    },
    "based_on": {
        "fingerprint": "f",
        "size_class": "hd",
        "jobs": 42,
        "frames": 90_000,
        "jobs_waiting": 0,
        "jobs_running": 1,
        "workers": 1,
    },
}
