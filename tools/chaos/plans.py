"""The jobs of a kill test: what is submitted, how, and how it must end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

CLIP = Path(__file__).parents[2] / "tests" / "fixtures" / "tiny.mp4"


@dataclass(frozen=True, slots=True)
class Plan:
    """One kind of job.

    Attributes
    ----------
    end
        ``completed``, or the error code it must fail with.
    in_body
        Whether the video goes in the request, or by a presigned upload.
    """

    name: str
    content: bytes
    options: tuple[tuple[str, Any], ...]
    end: str
    in_body: bool


def make_plans() -> list[Plan]:
    """Every kind: each good one both ways, and some that must fail."""
    clip = CLIP.read_bytes()
    analyses: dict[str, dict[str, Any]] = {
        "boxes": {"pipeline_id": "yolo_only"},
        "text": {"pipeline_id": "yolo_ocr", "frame_stride": 4, "max_frames": 8},
        "regions": {"pipeline_id": "yolo_ocr_regions", "frame_stride": 2, "max_frames": 16},
    }
    plans = [
        Plan(name, clip, tuple(options.items()), "completed", in_body)
        for name, options in analyses.items()
        for in_body in (True, False)
    ]
    cut_off = clip[: clip.index(b"moov") + 60]
    noise = Random(1).randbytes(5000)  # noqa: S311 - always the same noise
    return [
        *plans,
        Plan("cut off", cut_off, (), "unreadable_video", in_body=True),
        Plan("noise", clip[:32] + noise, (), "unreadable_video", in_body=False),
        Plan("no video", b"This is no video.", (), "invalid_mp4", in_body=False),
    ]


def pick(random: Random, count: int) -> Iterator[Plan]:
    """``count`` jobs at random; four of five are good."""
    plans = make_plans()
    good = [plan for plan in plans if plan.end == "completed"]
    bad = [plan for plan in plans if plan.end != "completed"]
    for _ in range(count):
        yield random.choice(good if random.random() < 0.8 else bad)
