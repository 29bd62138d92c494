"""An open video that is not decoded: each picture has as many bright pixels as its index says."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
from video_jobs.domain.byte_ranges import ByteRange, joined
from video_jobs.domain.errors import UnreadableVideoError
from video_jobs.domain.region import Region
from video_jobs.domain.sampling import EVERY_PICTURE, Sampling
from video_jobs.domain.video import JobWarning, VideoFacts
from video_worker.dag_runner import DagRunner, Tool
from video_worker.part_ranges import Excerpt, PartRanges
from video_worker.pipeline_definition import PipelineDefinition
from video_worker.video.file_view import OutsideRangesError
from video_worker.video.open_video import Image, Picture, VideoMap
from video_worker.video.selection import candidates

WIDTH, HEIGHT = 32, 18
US_A_PICTURE = 33_367


@dataclass
class NumberedVideo:
    """A `video_worker.video.open_video.OpenVideo`, and its own `VideoOpener`.

    Attributes
    ----------
    lost
        Indexes of pictures that cannot be decoded.
    other_sizes
        Stored sizes by index.
    started_at
        The index of the picture with which every reading began.
    """

    pictures: int
    lost: Collection[int] = ()
    other_sizes: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    is_divisible: bool = True
    warnings: tuple[JobWarning, ...] = ()
    tells_length: bool = True
    started_at: list[int] = field(default_factory=list)
    open_now: int = 0
    candidates: int | None = field(init=False)
    facts: VideoFacts = field(init=False)

    def __post_init__(self) -> None:
        self(Path())
        told = self.tells_length
        self.facts = VideoFacts(
            container="mp4",
            codec="numbers",
            width=WIDTH,
            height=HEIGHT,
            frame_count=self.pictures if told else None,
            duration_ms=self.pictures * US_A_PICTURE / 1000 if told else None,
            average_frame_rate=1e6 / US_A_PICTURE if told else None,
            first_picture_ms=0.0,
            rotation=0,
            mirrored=False,
            interlaced=False,
            variable_frame_rate=False,
            hdr=None,
        )

    def __call__(
        self,
        path: Path,
        max_pixels: int | None = None,
        sampling: Sampling = EVERY_PICTURE,
        excerpt: Excerpt | None = None,
    ) -> Self:
        self._wanted = candidates(self, sampling)
        self.candidates = len(self._wanted) if self.tells_length else None
        self._held = None if excerpt is None else excerpt.ranges
        return self

    def __len__(self) -> int:
        return self.pictures

    def time_us(self, index: int) -> int:
        return index * US_A_PICTURE

    def frames(self, first: int = 0, end: int | None = None) -> Iterator[Picture]:
        wanted = self._wanted[first:end]
        self.started_at += wanted[:1]
        if len(set(self.lost)) == self.pictures:
            raise UnreadableVideoError
        for index in wanted:
            if self._held is not None and not any(start <= index < end for start, end in self._held):
                raise OutsideRangesError(f"The picture {index} was not fetched")
            image = None if index in self.lost else _numbered(index)
            yield Picture(index, self.time_us(index), image, self.other_sizes.get(index))

    def map(self, part_frames: int) -> VideoMap | None:
        """Each picture is one byte at its index; the first one is the head, too."""
        if not self.is_divisible:
            return None
        count = len(self._wanted)
        bounds = [(first, min(first + part_frames, count)) for first in range(0, count, part_frames)]
        parts = (joined((one, one + 1) for one in self._wanted[first:end]) for first, end in bounds)
        return VideoMap(PartRanges((ByteRange(0, 1),), tuple(parts)), str(self.pictures).encode())

    def __enter__(self) -> Self:
        self.open_now += 1
        return self

    def __exit__(self, *_: object) -> None:
        self.open_now -= 1


def _numbered(index: int) -> Image:
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image.reshape(-1)[:index] = 255
    return image


def only(tool: Tool, region: Region | None = None) -> DagRunner:
    """A pipeline of one tool."""
    node = {"id": "tool", "plugin_id": "test", "tool_id": "tool"}
    ends = {"edges": [], "entry_nodes": ["tool"], "output_nodes": ["tool"]}
    raw = {"id": "numbers", "name": "numbers", "nodes": [node], **ends}
    return DagRunner(PipelineDefinition.from_json(json.dumps(raw), "test"), {"tool": tool}, region)
