"""The format of a frame's result, said once.

The validator of plugins, the smoke test and the OpenAPI document are made from it. No route imports it:
pydantic takes long to import. The worker cannot: its image does not contain it.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from typing_extensions import TypedDict

Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Percent = Annotated[float, Field(ge=0, le=100)]


class Detection(BaseModel, extra="allow"):
    """An object; ``xyxy`` are its left, top, right and bottom edges in pixels of the frame as displayed."""

    xyxy: list[float] = Field(min_length=4, max_length=4)
    confidence: Share
    class_id: Count
    class_name: str


class Box(BaseModel, extra="allow"):
    """A rectangle in pixels of the frame as displayed; ``x`` and ``y`` are its left and top edges."""

    x: Count
    y: Count
    width: Count
    height: Count


class Block(BaseModel, extra="allow"):
    """A word; ``level``, ``block_num`` and ``line_num`` are Tesseract's. The confidence is in percent."""

    text: str
    confidence: Percent
    bbox: Box
    level: Count
    block_num: Count
    line_num: Count


class FrameResult(TypedDict, total=False):
    """What the tools of a pipeline gave: any of these names, and those of other plugins."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]

    detections: list[Detection]
    count: Count
    classes: dict[str, Count]
    text: str
    blocks: list[Block]
    confidence: Share
    language: str
    error: str | None


FRAME_RESULT = TypeAdapter(FrameResult)
