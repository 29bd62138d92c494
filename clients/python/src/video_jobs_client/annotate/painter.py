"""Draw what was found on a frame: boxes, classes, tracks and texts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from av.video.frame import VideoFrame

from video_jobs_client.annotate.canvas import FORMAT, Area, Canvas, Color
from video_jobs_client.annotate.labels import LabelMaker
from video_jobs_client.results import Detection, Frame, Word

_COLORS = tuple(
    Color.of_rgb(*rgb)
    for rgb in (
        (230, 60, 60),
        (60, 180, 75),
        (50, 120, 230),
        (245, 130, 48),
        (160, 80, 220),
        (40, 190, 200),
        (235, 80, 180),
        (140, 190, 50),
        (110, 110, 235),
        (190, 120, 70),
        (20, 150, 130),
        (200, 160, 220),
    )
)
"""A detection has the colour of its track, or of its class if the results have no tracks."""

_NO_TRACK_COLOR = Color.of_rgb(150, 150, 150)
"""Of what belongs to no track although there are tracks: much of it is a mistake of the detector."""

_TEXT_COLOR = Color.of_rgb(255, 220, 70)
_LEAST_LETTERS_PX, _LETTERS = 13, 40
"""The size of letters is the shorter side of the picture divided by `_LETTERS`, and at least 13 pixels."""

_TEXT_MARGIN_PX = 4
"""Between a text and its box, which would cover small letters otherwise."""

_LINES = 300
"""The width of lines is the shorter side of the picture divided by `_LINES`, and at least 2 pixels."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class _Mark:
    """A box with its label: that of a text is put below it if there is room, others above."""

    box: Box
    text: str
    color: Color
    is_text: bool


class Painter:
    """Draws on pictures of one size.

    Parameters
    ----------
    width, height
        Of the pictures that were analysed.
    font
        A TrueType or OpenType file for the labels; None for a usual one, as `LabelMaker` tells.
    """

    def __init__(self, width: int, height: int, font: str | os.PathLike[str] | None = None) -> None:
        shorter = min(width, height)
        self._line_px = 2 * max(1, round(shorter / _LINES / 2))
        self._labels = LabelMaker(max(_LEAST_LETTERS_PX, shorter // _LETTERS), font)

    def paint(self, canvas: Canvas, frame: Frame) -> None:
        """Draw the boxes of a frame, then their labels, so that no line crosses a label."""
        marks = [*_marks_of_objects(frame), *_marks_of_texts(frame.words)]
        for mark in marks:
            self._outline(canvas, _area(mark.box, canvas), mark.color)
        taken = [_area(mark.box, canvas) for mark in marks if mark.is_text]
        for mark in marks:
            label = self._labels.label(mark.text, mark.color)
            place = _place(label, mark, canvas, taken)
            canvas.put(label, place.left, place.top)
            taken.append(place)

    def _outline(self, canvas: Canvas, area: Area, color: Color) -> None:
        left, top, right, bottom = area
        width = min(self._line_px, right - left, bottom - top)
        canvas.fill(Area(left, top, right, top + width), color)
        canvas.fill(Area(left, bottom - width, right, bottom), color)
        canvas.fill(Area(left, top, left + width, bottom), color)
        canvas.fill(Area(right - width, top, right, bottom), color)


def annotated_picture(
    picture: VideoFrame, frame: Frame, font: str | os.PathLike[str] | None = None
) -> VideoFrame:
    """A copy of an upright picture with what was found on it."""
    canvas = Canvas.of(picture.reformat(format=FORMAT))
    Painter(picture.width, picture.height, font).paint(canvas, frame)
    return canvas.frame()


def _marks_of_objects(frame: Frame) -> Iterator[_Mark]:
    for one in frame.detections:
        name = one.class_name if one.track_id is None else f"{one.class_name} #{one.track_id}"
        color = _color(one, has_tracks=frame.track_ids is not None)
        yield _Mark(one.xyxy, f"{name} {one.confidence:.2f}", color, is_text=False)


def _color(one: Detection, *, has_tracks: bool) -> Color:
    if has_tracks and one.track_id is None:
        return _NO_TRACK_COLOR
    return _COLORS[(one.class_id if one.track_id is None else one.track_id) % len(_COLORS)]


def _marks_of_texts(words: Iterable[Word]) -> Iterator[_Mark]:
    """One mark for each line of text."""
    for _, line in groupby(words, key=lambda word: (word.block_num, word.line_num)):
        of_line = list(line)
        left, top, right, bottom = zip(*(word.xyxy for word in of_line), strict=True)
        margin = _TEXT_MARGIN_PX
        box = (min(left) - margin, min(top) - margin, max(right) + margin, max(bottom) + margin)
        yield _Mark(box, " ".join(word.text for word in of_line), _TEXT_COLOR, is_text=True)


def _area(box: Box, canvas: Canvas) -> Area:
    """The pixels of a box that lie inside the picture, with even edges; it has at least one of them."""
    left, right = _within(box[0], box[2], canvas.width)
    top, bottom = _within(box[1], box[3], canvas.height)
    return Area(left, top, right, bottom)


def _within(low: float, high: float, size: int) -> tuple[int, int]:
    start = min(max(0, 2 * round(low / 2)), size - 2)
    return start, min(max(start + 2, 2 * round(high / 2)), size)


def _place(label: Canvas, mark: _Mark, canvas: Canvas, taken: Sequence[Area]) -> Area:
    """The place inside the picture where a label covers the fewest texts and other labels."""
    box = _area(mark.box, canvas)
    above, below, inside = box.top - label.height, box.bottom, box.top
    beside = [(box.right, inside), (box.left - label.width, inside)]
    tops = (below, above) if mark.is_text else (above, inside, below)
    corners = [*((box.left, top) for top in tops), *(beside if mark.is_text else ())]
    places = [_moved_inside(label, left, top, canvas) for left, top in corners]
    return min(places, key=lambda place: sum(place.overlaps(other) for other in taken))


def _moved_inside(label: Canvas, left: int, top: int, canvas: Canvas) -> Area:
    left = max(0, min(left, canvas.width - label.width))
    top = max(0, min(top, canvas.height - label.height))
    return Area(left, top, left + label.width, top + label.height)
