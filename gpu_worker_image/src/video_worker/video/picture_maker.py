"""Turn decoded pictures into images as they are shown: upright, with square pixels, of one size."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from video_jobs.domain.errors import ResourceLimitError

from video_worker.video.open_video import Image
from video_worker.video.orientation import Orientation, orientation_of
from video_worker.video.tone_curve import TRANSFERS, Transfer, to_ordinary_range

MAX_SIDE = 32_767
"""Pixels: Tesseract reads no picture with a longer side."""

_LEAST_DISTORTION = Fraction(1, 100)
_MOST_DISTORTION = 8
Size = tuple[int, int]
"""Width and height in pixels."""


@dataclass(frozen=True, slots=True)
class PictureForm:
    """The form of a video's first picture, which all others are given.

    Attributes
    ----------
    stored
        Size as it is stored.
    squared
        Size with square pixels, before it is turned.
    """

    stored: Size
    squared: Size
    orientation: Orientation
    transfer: Transfer | None

    @property
    def size(self) -> Size:
        """Width and height as they are shown."""
        return self.orientation.size(*self.squared)


def form_of(picture: VideoFrame, pixel_aspect: Fraction | None) -> PictureForm:
    """The form of a picture; ``pixel_aspect`` is the width of a pixel divided by its height."""
    stored = (picture.width, picture.height)
    return PictureForm(
        stored,
        squared_size(stored, pixel_aspect),
        orientation_of(picture),
        TRANSFERS.get(int(picture.color_trc)),
    )


def squared_size(stored: Size, pixel_aspect: Fraction | None) -> Size:
    """The size with square pixels: the shorter side of the pixels is stretched, so that nothing is lost.

    An aspect that differs by less than 1 %, or that is absurd, counts as 1.
    """
    width, height = stored
    aspect = pixel_aspect or Fraction(1)
    stretch = max(aspect, 1 / aspect) if aspect > 0 else Fraction(1)
    if not 1 + _LEAST_DISTORTION <= stretch <= _MOST_DISTORTION:
        return stored
    return (round(width * aspect), height) if aspect > 1 else (width, round(height / aspect))


def check_size(size: Size, max_pixels: int | None) -> None:
    """Check the size of a picture.

    Raises
    ------
    ResourceLimitError
        If it is too large.
    """
    width, height = size
    if max_pixels is not None and width * height > max_pixels:
        raise ResourceLimitError(
            f"The frames have {width}x{height} pixels, more than the {max_pixels} that are allowed; "
            "submit the video at a smaller resolution"
        )
    if max(size) > MAX_SIDE:
        raise ResourceLimitError(
            f"The frames have {width}x{height} pixels; a side may have at most {MAX_SIDE}; "
            "submit the video at a smaller resolution"
        )


class PictureMaker:
    """Makes images in the form of a video's first picture."""

    def __init__(self, form: PictureForm) -> None:
        self.form = form
        self._reformatter = VideoReformatter()

    def image(self, picture: VideoFrame) -> Image:
        """A new image; a picture of another size is fitted in, with black at two sides."""
        stored = (picture.width, picture.height)
        if stored == self.form.stored:
            image = self._scaled(picture, self.form.squared)
        else:
            image = _centred(self._scaled(picture, fitted_size(stored, self.form.squared)), self.form.squared)
        return self.form.orientation.apply(image)

    def _scaled(self, picture: VideoFrame, size: Size) -> Image:
        transfer = TRANSFERS.get(int(picture.color_trc))
        if transfer is None:
            return _pixels(self._reformatter.reformat(picture, *size, "bgr24"))
        deep = self._reformatter.reformat(picture, *size, "rgb48le").to_ndarray()
        return to_ordinary_range(deep.astype(np.uint16, copy=False), transfer)


def _pixels(picture: VideoFrame) -> Image:
    """The pixels of a picture with three bytes each, where FFmpeg has written them: rows may be padded."""
    plane = picture.planes[0]
    strides = (plane.line_size, 3, 1)
    return np.ndarray((picture.height, picture.width, 3), np.uint8, buffer=memoryview(plane), strides=strides)


def fitted_size(stored: Size, squared: Size) -> Size:
    """The largest size with the proportions of ``stored`` that has room in ``squared``."""
    scale = min(Fraction(squared[0], stored[0]), Fraction(squared[1], stored[1]))
    return max(1, round(stored[0] * scale)), max(1, round(stored[1] * scale))


def _centred(image: Image, size: Size) -> Image:
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    height, width = image.shape[:2]
    top, left = (size[1] - height) // 2, (size[0] - width) // 2
    canvas[top : top + height, left : left + width] = image
    return canvas
