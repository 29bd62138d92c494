"""``python -m gpu_worker_image.models.text_detection_export``: make the int8 form of the detection model.

It needs ``pip install -r requirements-train.txt``, and takes half a minute. The calibration sees only
pictures that are generated here: street scenes with lines of text of many sizes and colours.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import openvino
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from video_jobs.settings import WorkerSettings
from video_worker.plugins.ocr.ppocr.model_files import F32, INT8, detection_file

from gpu_worker_image.models.street_demo_training.scenes import random_scene, render

os.environ.setdefault("OPENVINO_TELEMETRY_DISABLED", "1")
SOURCE = detection_file(WorkerSettings(model_path="", ocr_detection_model=F32))
TARGET = detection_file(WorkerSettings(model_path="", ocr_detection_model=INT8))
SIZES = ((960, 544), (960, 736), (544, 960), (640, 384))
"""Width and height of the calibration's pictures, as the reader scales frames."""
PICTURES = 120
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 -/.%:"
_LONGEST_LINE = 24
_MOST_LINES = 12


def calibration_pictures(count: int = PICTURES) -> Iterator[NDArray[np.uint8]]:
    """Height x width x 3, BGR."""
    for seed in range(count):
        size = SIZES[seed % len(SIZES)]
        picture, _ = render(random_scene(500_000 + seed, size))
        yield with_lines(picture, np.random.default_rng(seed))


def with_lines(picture: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """The picture with some lines of text, upright or a little rotated."""
    image = Image.fromarray(picture)
    for _ in range(random.integers(0, _MOST_LINES)):
        line = _line(random)
        left, top = (int(random.integers(-20, side)) for side in image.size)
        image.paste(Image.new("RGB", line.size, _color(random)), (left, top), line)
    return np.asarray(image, np.uint8)


def _line(random: np.random.Generator) -> Image.Image:
    """A mask of one line."""
    length = int(random.integers(2, _LONGEST_LINE))
    text = "".join(random.choice(list(_LETTERS), length))
    font = ImageFont.load_default(int(np.exp(random.uniform(np.log(9), np.log(90)))))
    left, top, right, bottom = (int(side) for side in font.getbbox(text))
    mask = Image.new("L", (right - left + 8, bottom - top + 8))
    ImageDraw.Draw(mask).text((4 - left, 4 - top), text, fill=int(random.integers(120, 256)), font=font)
    return mask.rotate(float(random.normal(0, 6)), expand=True)


def _color(random: np.random.Generator) -> tuple[int, ...]:
    return tuple(int(value) for value in random.integers(0, 256, 3))


def to_input(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """1 x 3 x height x width, from -1 to 1, as the model was trained."""
    planes = picture.transpose(2, 0, 1)[None].astype(np.float32)
    return planes / np.float32(127.5) - np.float32(1)


def main() -> None:
    """Quantise the model, and write it where the plugin finds it."""
    import nncf

    model = openvino.Core().read_model(SOURCE)
    calibration = nncf.Dataset(list(calibration_pictures()), to_input)
    quantised = nncf.quantize(model, calibration, preset=nncf.QuantizationPreset.MIXED, subset_size=PICTURES)
    TARGET.parent.mkdir(exist_ok=True)
    openvino.save_model(quantised, TARGET, compress_to_fp16=False)


if __name__ == "__main__":
    main()
