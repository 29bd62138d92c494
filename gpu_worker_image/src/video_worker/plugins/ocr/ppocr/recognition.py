"""Read a line: cut it out of the frame, upright and at one height, and run the recognition model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from video_worker.inference.openvino_session import CpuUse, OpenVinoSession, read_model
from video_worker.plugins.ocr.ppocr.ctc import Character, decode
from video_worker.plugins.ocr.ppocr.model_files import characters_of
from video_worker.plugins.ocr.ppocr.scripts import is_latin
from video_worker.plugins.ocr.reading import Corners
from video_worker.video.open_video import Image

HEIGHT_PX = 48
"""The height of the model's input."""
STEP_PX = 8
"""The model gives one step of output for so many columns."""
MOST_WIDTH_PX = 2048
"""A longer line is squeezed."""

ONE_LETTER = 3.0
"""A line that is no more than so many times as long as high may be one narrow letter that stands upright."""

_STEEP = 0.7
"""The sine of the angle from which on a line is taken for one that runs downwards."""
_SHARPEST_PX = 4 * HEIGHT_PX
"""A higher line is cut out at this height, before it is scaled to `HEIGHT_PX`."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read in a line.

    Parameters
    ----------
    corners
        Of the line as it was read, in pixels of the frame.
    pixels
        The line as the model saw it, `HEIGHT_PX` high; a step of its output is `STEP_PX` wide.
    """

    corners: Corners
    characters: Sequence[Character]
    pixels: Image

    @property
    def certainty(self) -> float:
        """Mean probability of its characters, 0 without any."""
        known = [one.probability for one in self.characters]
        return sum(known) / len(known) if known else 0.0


class LineReader:
    """The recognition model, with its output cut to the characters that are wanted."""

    def __init__(self, path: Path, use: CpuUse, scripts: str) -> None:
        model = read_model(path)
        self.characters = characters_of(path, model)
        if scripts == "latin":
            kept = [number for number, text in enumerate(self.characters) if number == 0 or is_latin(text)]
            self.characters = [self.characters[number] for number in kept]
            keep_outputs(model, kept)
        self._session = OpenVinoSession(model, use)

    def read(self, image: Image, corners: Corners) -> Reading:
        """Read one line of a frame. Only its own pixels matter, never what else is read.

        A high line may run downwards, upwards, or be a single upright letter: what is surest is taken.
        """
        turns = _possible_turns(corners)
        return max((self._read(image, one) for one in turns), key=lambda reading: reading.certainty)

    def _read(self, image: Image, corners: Corners) -> Reading:
        line = cut_out(image, corners)
        width = line.shape[1]
        padded = np.zeros((1, 3, HEIGHT_PX, _input_width(width)), np.float32)
        padded[0, :, :, :width] = line.transpose(2, 0, 1) / np.float32(127.5) - np.float32(1)
        output = self._session.run(padded)[0, : -(-width // STEP_PX)]
        return Reading(corners, decode(output, self.characters), line)


def cut_out(image: Image, corners: Corners) -> Image:
    """The pixels of a line, `HEIGHT_PX` high; what lies outside the frame repeats its border."""
    quadrilateral = np.array(corners, np.float32)
    across = np.linalg.norm(quadrilateral - np.roll(quadrilateral, -1, axis=0), axis=1)
    wide, high = max(across[0], across[2], 1.0), max(across[1], across[3], 1.0)
    width = int(min(max(STEP_PX, round(HEIGHT_PX * wide / high)), MOST_WIDTH_PX))
    scale = max(1.0, min(high, _SHARPEST_PX) / HEIGHT_PX)
    rows, columns = round(HEIGHT_PX * scale), round(width * scale)
    target = np.array([(0, 0), (columns, 0), (columns, rows), (0, rows)], np.float32)
    middle = np.float32(0.5)
    warp = cv2.getPerspectiveTransform(quadrilateral - middle, target - middle)
    line = cv2.warpPerspective(
        image, warp, (columns, rows), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    if rows != HEIGHT_PX:
        line = cv2.resize(line, (width, HEIGHT_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(line, np.uint8)


def keep_outputs(model: Any, kept: Sequence[int]) -> None:
    """Cut the model's last layer to some of its outputs; the rest of the model is left as it is.

    Softmax then shares the probability among these only.
    """
    from openvino import opset13

    for kind in ("MatMul", "Add"):
        layer = [op for op in model.get_ordered_ops() if op.get_type_name() == kind][-1]
        weights = layer.input(1)
        cut = np.ascontiguousarray(weights.get_source_output().get_node().data[..., kept])
        weights.replace_source_output(opset13.constant(cut).output(0))
    model.validate_nodes_and_infer_types()


def _possible_turns(corners: Corners) -> list[Corners]:
    """The line as it was found and, if it runs downwards, turned round, and as one upright letter."""
    one, two, three, four = corners
    along, across = math.dist(one, two), math.dist(one, four)
    if two[1] - one[1] < along * _STEEP:
        return [corners]
    turned = [corners, (three, four, one, two)]
    return turned if along > ONE_LETTER * across else [*turned, (four, one, two, three)]


def _input_width(width: int) -> int:
    """The next width for which the model is used: there are few, because each new one costs time."""
    step = 32 if width <= 256 else 64 if width <= 512 else 128
    return max(64, -(-width // step) * step)
