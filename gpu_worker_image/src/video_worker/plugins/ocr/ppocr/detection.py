"""Find lines of text in a frame, or in parts of it."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from video_worker.inference.openvino_session import CpuUse, OpenVinoSession, read_model
from video_worker.plugins.ocr.ppocr.joining import joined
from video_worker.plugins.ocr.ppocr.second_look import SCALED_DOWN, doubtful, fine_print, parts_to_look_at
from video_worker.plugins.ocr.ppocr.shapes import SMALLEST, STEP_PX
from video_worker.plugins.ocr.ppocr.text_map import Found, TextMap, lines_of_map
from video_worker.plugins.ocr.reading import Area
from video_worker.plugins.ocr.rectangles import holds, size_of
from video_worker.video.open_video import Image

Size = tuple[int, int]
"""Height, width."""

MOST_SHAPES = 8
"""So many shapes are kept compiled: those of a frame's parts, of the second look and of regions."""

_MARGIN_PX = 16
"""Around an area, at the size at which it is searched, so that a line at its border is found."""


class TextMapper:
    """The detection model, compiled for each shape of its input when that is first needed.

    A model that is compiled for any shape takes up to a fifth longer on each picture.
    """

    def __init__(self, path: Path, use: CpuUse) -> None:
        self._path, self._use = path, use
        self._compiled: OrderedDict[Size, Future[OpenVinoSession]] = OrderedDict()
        self._lock = threading.Lock()

    def prepare(self, size: Size) -> None:
        """Compile the model for a size before the first picture of it comes."""
        self._session(size)

    def map_of(self, picture: Image) -> TextMap:
        """How likely each pixel is in a line's core."""
        blob = cv2.dnn.blobFromImage(picture, 1 / 127.5, mean=(127.5, 127.5, 127.5))
        tensor = blob.astype(np.float32, copy=False)
        text_map: TextMap = self._session((picture.shape[0], picture.shape[1])).run(tensor)[0, 0]
        return text_map

    def _session(self, size: Size) -> OpenVinoSession:
        with self._lock:
            known = self._compiled.get(size)
            session = self._compiled[size] = known or Future()
            self._compiled.move_to_end(size)
            if len(self._compiled) > MOST_SHAPES:
                self._compiled.popitem(last=False)
        if known is None:
            self._compile(size, session)
        return session.result()

    def _compile(self, size: Size, session: Future[OpenVinoSession]) -> None:
        """Compile outside of the lock, since several shapes may be compiled at the same time."""
        try:
            model = read_model(self._path)
            model.reshape([1, 3, *size])
            session.set_result(OpenVinoSession(model, self._use))
        except BaseException as error:
            session.set_exception(error)
            raise


@dataclass(frozen=True, slots=True)
class ScaledFrame:
    """A frame at the size at which it is searched.

    Parameters
    ----------
    scale
        Its width and height in shares of the frame's.
    """

    pixels: Image
    scale: tuple[float, float]

    @classmethod
    def of(cls, image: Image, side: int) -> ScaledFrame:
        """Scaled so that its longer side has at most ``side`` pixels; never enlarged."""
        rows, columns = image.shape[:2]
        scale = min(1.0, side / max(rows, columns))
        height, width = _in_steps(rows * scale), _in_steps(columns * scale)
        pixels = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
        bottom, right = max(0, SMALLEST[0] - height), max(0, SMALLEST[1] - width)
        if bottom or right:
            pixels = cv2.copyMakeBorder(pixels, 0, bottom, 0, right, cv2.BORDER_REPLICATE)
        return cls(np.asarray(pixels, np.uint8), (width / columns, height / rows))

    @property
    def whole(self) -> Area:
        """All of it."""
        return (0, 0, self.pixels.shape[1], self.pixels.shape[0])

    def in_image(self, area: Area, start: tuple[int, int]) -> Area:
        """In pixels of the frame, an area of the part that begins at ``start`` (x, y)."""
        left, right = ((start[0] + x) / self.scale[0] for x in (area[0], area[2]))
        top, bottom = ((start[1] + y) / self.scale[1] for y in (area[1], area[3]))
        return (math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom))

    def parts(self, areas: Sequence[Area]) -> list[Area]:
        """Parts of it that hold the areas of the frame; only a few sizes of parts are possible.

        It is searched as a whole if that costs no more.
        """
        parts = sorted({self._part(area) for area in areas})
        parts = [one for one in parts if not any(one != other and holds(other, one) for other in parts)]
        return parts if sum(map(size_of, parts)) < size_of(self.whole) else [self.whole]

    def _part(self, area: Area) -> Area:
        """The smallest possible part around an area."""
        left, right = area[0] * self.scale[0] - _MARGIN_PX, area[2] * self.scale[0] + _MARGIN_PX
        top, bottom = area[1] * self.scale[1] - _MARGIN_PX, area[3] * self.scale[1] + _MARGIN_PX
        height, width = next(
            (rows, columns)
            for rows, columns in self._sizes()
            if (rows >= bottom - top or rows == self.pixels.shape[0])
            and (columns >= right - left or columns == self.pixels.shape[1])
        )
        x = _start((left + right) / 2, width, self.pixels.shape[1])
        y = _start((top + bottom) / 2, height, self.pixels.shape[0])
        return (x, y, x + width, y + height)

    def _sizes(self) -> list[Size]:
        """The possible sizes of parts, the smallest first."""
        height, width = self.pixels.shape[:2]
        half_height, half_width = _half(height, SMALLEST[0]), _half(width, SMALLEST[1])
        sizes = {SMALLEST} | {
            (rows, columns) for rows in (half_height, height) for columns in (half_width, width)
        }
        return sorted(sizes, key=lambda size: (size[0] * size[1], size))


@dataclass(frozen=True, slots=True)
class _Look:
    """Lines of a part, and patches that may be text; all in pixels of the frame."""

    lines: list[Found]
    doubts: list[Area]


class LineFinder:
    """Finds lines in a frame that is scaled to a bounded size."""

    def __init__(self, mapper: TextMapper, side: int) -> None:
        self._mapper, self._side = mapper, side

    def find(self, image: Image, areas: Sequence[Area]) -> list[Found]:
        """The lines that touch one of the areas, with positions in the frame."""
        if is_of_one_color(image):
            return []
        frame = ScaledFrame.of(image, self._side)
        looks = [self._look(frame, part) for part in frame.parts(areas)]
        lines = [line for look in looks for line in look.lines]
        again = self._look_again(image, min(frame.scale), looks)
        if again or len(looks) > 1:
            lines = joined([*lines, *again])
        return [line for line in lines if _touches(line, areas)]

    def _look(self, frame: ScaledFrame, part: Area) -> _Look:
        left, top, right, bottom = part
        text_map = self._mapper.map_of(frame.pixels[top:bottom, left:right])
        lines = lines_of_map(text_map)
        doubts = [frame.in_image(patch, (left, top)) for patch in doubtful(text_map, lines)]
        return _Look([line.moved(left, top, frame.scale) for line in lines], doubts)

    def _look_again(self, image: Image, scale: float, looks: Sequence[_Look]) -> list[Found]:
        """What is found at the frame's own size, if it was scaled down."""
        if scale >= SCALED_DOWN or not looks:
            return []
        doubts = [patch for look in looks for patch in look.doubts]
        lost = fine_print(image, [line for look in looks for line in look.lines], scale)
        found: list[Found] = []
        for left, top, right, bottom in parts_to_look_at([doubts, lost], (image.shape[0], image.shape[1])):
            lines = lines_of_map(self._mapper.map_of(image[top:bottom, left:right]))
            found += [line.moved(left, top, (1.0, 1.0)) for line in lines]
        return found


def is_of_one_color(picture: Image) -> bool:
    """Whether there can be no text, as on a black frame."""
    first = picture[0, 0]
    return bool((picture[0] == first).all() and (picture == first).all())


def _in_steps(length: float) -> int:
    return max(STEP_PX, round(length / STEP_PX) * STEP_PX)


def _half(length: int, least: int) -> int:
    return min(length, max(least, -(-length // (2 * STEP_PX)) * STEP_PX))


def _start(middle: float, length: int, most: int) -> int:
    return max(0, min(round(middle - length / 2), most - length))


def _touches(line: Found, areas: Sequence[Area]) -> bool:
    x1, y1, x2, y2 = line.box
    return any(x1 < right and x2 > left and y1 < bottom and y2 > top for left, top, right, bottom in areas)
