"""Videos with their results as the service would give them, annotated, and read again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import msgspec
import numpy as np
from video_jobs_client import Results
from video_jobs_client.models import Video
from video_worker.video.open_video import Image, Picture
from video_worker.video.video_reader import VideoReader


@dataclass(frozen=True, slots=True)
class Analysed:
    """What the worker's reader gives of a video.

    Attributes
    ----------
    video
        As in the job resource.
    pictures
        Those that could be decoded.
    """

    video: Video
    pictures: list[Picture]

    @classmethod
    def of(cls, path: Path) -> Analysed:
        """Read a whole video."""
        with VideoReader(path) as reader:
            pictures = [picture for picture in reader.frames() if picture.image is not None]
            return cls(msgspec.convert(asdict(reader.facts), Video), pictures)

    def results(
        self, result_of: Callable[[int], Mapping[str, Any]], stride: int = 1, has_times: bool = True
    ) -> Results:
        """Results that ``result_of`` makes of the index of each analysed picture."""
        analysed = [picture for picture in self.pictures if picture.index % stride == 0]
        page = {
            "results": [{"frame_index": one.index, "result": result_of(one.index)} for one in analysed],
            "timestamps_ms": [one.timestamp_ms for one in analysed] if has_times else None,
        }
        return Results([page], self.video)


@dataclass(frozen=True, slots=True)
class Written:
    """A video that was written: its clock, and time and picture of each of its pictures."""

    time_base: Fraction
    size: tuple[int, int]
    ticks: list[int]
    images: list[Image]

    @classmethod
    def of(cls, path: Path) -> Written:
        """Read a whole video as it is stored."""
        with av.open(str(path)) as container:
            (track,) = container.streams.video
            pictures = list(container.decode(track))
            images = [picture.to_ndarray(format="bgr24").astype(np.uint8) for picture in pictures]
            ticks = [picture.pts or 0 for picture in pictures]
            size = track.codec_context.width, track.codec_context.height
            return cls(Fraction(track.time_base or 0), size, ticks, images)

    def times_us(self) -> list[int]:
        """Microseconds of the movie."""
        return [round(tick * self.time_base * 1_000_000) for tick in self.ticks]


def nothing(_: int) -> dict[str, Any]:
    """The result of a picture on which nothing was found."""
    return {}


def box(xyxy: tuple[float, float, float, float], class_id: int = 0) -> dict[str, Any]:
    """The result of a picture with one object."""
    found = {"xyxy": list(xyxy), "confidence": 0.87, "class_id": class_id, "class_name": "car"}
    return {"detections": [found]}
