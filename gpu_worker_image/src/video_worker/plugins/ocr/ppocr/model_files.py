"""The two models on disk: those of the package rapidocr, the int8 form of one of them, or named ones."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from video_jobs.domain.errors import SettingError
from video_jobs.settings import WorkerSettings

_DETECTION, _RECOGNITION = "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"
_CHARACTERS = ["framework", "character"]
"""Where PaddleOCR's exports keep the characters: ``character`` in the metadata of the ONNX file."""


INT8, F32 = "int8", "f32"
_INT8_DETECTION = Path(__file__).parent / "models" / "pp_ocrv6_det_small_int8.xml"


def detection_file(settings: WorkerSettings) -> Path:
    """The model that finds text."""
    if settings.ocr_detection_model == INT8:
        return _INT8_DETECTION
    named = "" if settings.ocr_detection_model == F32 else settings.ocr_detection_model
    return _file("OCR_DETECTION_MODEL", named, _DETECTION)


def is_shipped(detection: Path) -> bool:
    """Whether a model that finds text is one of those that come with the worker."""
    return detection == _INT8_DETECTION or detection == _models_of_rapidocr() / _DETECTION


def recognition_file(settings: WorkerSettings) -> Path:
    """The model that reads lines."""
    return _file("OCR_RECOGNITION_MODEL", settings.ocr_recognition_model, _RECOGNITION)


def _file(setting: str, named: str, shipped: str) -> Path:
    path = Path(named) if named else _models_of_rapidocr() / shipped
    if named and path.suffix not in (".onnx", ".xml"):
        raise SettingError(f"{setting}: {named} is neither an .onnx file nor an .xml file of OpenVINO")
    for part in _parts(path):
        if not part.is_file():
            raise SettingError(
                f"{setting}: there is no file {part}; name an .onnx file, or an .xml with its .bin "
                "beside it, or unset it"
            )
    return path


def _parts(path: Path) -> list[Path]:
    return [path, path.with_suffix(".bin")] if path.suffix == ".xml" else [path]


def _models_of_rapidocr() -> Path:
    """The folder is found without an import, which would load much that is not needed."""
    package = find_spec("rapidocr")
    if package is None or not package.submodule_search_locations:
        raise SettingError(
            "OCR_ENGINE: the package rapidocr, which holds the models of ppocr, is not installed; install "
            "it, or set OCR_DETECTION_MODEL and OCR_RECOGNITION_MODEL, or OCR_ENGINE=tesseract"
        )
    return Path(package.submodule_search_locations[0]) / "models"


def rapidocr_version() -> str | None:
    """The version of the package; None if it is not installed."""
    return version("rapidocr") if find_spec("rapidocr") else None


def sha256_of(path: Path) -> str:
    """Hash over the contents of the files that a model consists of."""
    digest = hashlib.sha256()
    for part in _parts(path):
        digest.update(part.read_bytes())
    return digest.hexdigest()


def characters_of(path: Path, model: Any) -> Sequence[str]:
    """What the numbers of the recognition model's output stand for; 0 stands for no character.

    Raises
    ------
    SettingError
        If neither the model nor a file ``<its name>.txt`` beside it says so, or their number does not fit.
    """
    keys = path.with_suffix(".txt")
    if keys.is_file():
        known = keys.read_text(encoding="utf-8").rstrip("\n").split("\n")
    elif model.has_rt_info(_CHARACTERS):
        known = model.get_rt_info(_CHARACTERS).astype(str).split("\n")
    else:
        raise SettingError(
            f"OCR_RECOGNITION_MODEL: {path} names no characters; put them into {keys.name} beside it, "
            "one on each line"
        )
    classes = model.output(0).get_partial_shape()[2].get_length()
    characters = ["", *known, " "][:classes]
    if len(characters) != classes:
        raise SettingError(
            f"OCR_RECOGNITION_MODEL: {path} gives {classes} numbers a step, but has {len(known)} characters"
        )
    return characters
