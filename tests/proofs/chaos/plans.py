"""The jobs of a kill test: what is submitted, how, and how it must end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from random import Random
from typing import Any

from tests.fixtures.make_tiny_mp4 import PATH

CLIP = PATH.read_bytes()
_ANALYSES: Mapping[str, Mapping[str, Any]] = {
    "boxes": {"pipeline_id": "yolo_only"},
    "text": {"pipeline_id": "yolo_ocr", "frame_stride": 4, "max_frames": 8},
    "regions": {"pipeline_id": "yolo_ocr_regions", "frame_stride": 2, "max_frames": 16},
}


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
    end: str
    in_body: bool
    options: Mapping[str, Any] = field(default_factory=dict)


GOOD = [
    Plan(name, CLIP, "completed", in_body, options)
    for (name, options), in_body in product(_ANALYSES.items(), (True, False))
]
BAD = [
    Plan("cut off", CLIP[: CLIP.index(b"moov") + 60], "unreadable_video", in_body=True),
    Plan("noise", CLIP[:32] + Random(1).randbytes(5000), "unreadable_video", in_body=False),
    Plan("no video", b"This is no video.", "invalid_mp4", in_body=False),
]


def pick(random: Random, count: int) -> list[Plan]:
    """``count`` jobs at random; four of five are good."""
    return [random.choice(GOOD if random.random() < 0.8 else BAD) for _ in range(count)]
