"""Tesseract in this process, or as a program for each image; both use the same language data."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import sysconfig
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from video_jobs.domain.errors import SettingError
from video_jobs.settings import WorkerSettings

GrayImage = NDArray[np.uint8]
"""Height x width, 8 bit."""

SOURCE_DPI = 96
_NO_LANGUAGES = ("osd", "equ")
"""Data that tells the orientation of a page, or formulas."""


class OcrEngine(Protocol):
    """Reads text. One engine may be called from several threads."""

    language: str
    """Languages joined by +."""

    def read_tsv(self, image: GrayImage, page_segmentation: int | None = None) -> str:
        """Tesseract's TSV of the image, twelve columns in each line, without the header.

        ``page_segmentation`` is Tesseract's mode for this image; None stands for that of the settings.
        """
        ...

    def facts(self) -> Mapping[str, Any]:
        """Engine, versions and the hash of the language data."""
        ...


def to_gray(image: NDArray[np.uint8]) -> GrayImage:
    """BGR to grey."""
    return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)


def create_engine(settings: WorkerSettings, language: str = "") -> OcrEngine:
    """Make the engine of Tesseract that the settings name, or tesserocr, if it is installed.

    Parameters
    ----------
    language
        Languages joined by +; empty: those of the settings.

    Raises
    ------
    SettingError
        If that engine or its language data is not installed, because text would silently be empty.
    """
    os.environ["OMP_THREAD_LIMIT"] = "1"  # Tesseract's own threads slow each other down
    tessdata = tessdata_dir(settings)
    language = _checked_language(language, settings, tessdata)
    installed = importlib.util.find_spec("tesserocr") is not None
    if settings.ocr_engine == "tesserocr" and not installed:
        raise SettingError("OCR_ENGINE is tesserocr, but the package tesserocr is not installed")
    if settings.ocr_engine != "pytesseract" and installed:
        return TesserocrEngine(language, tessdata, settings.ocr_page_segmentation)
    if shutil.which("tesseract") is None:
        raise SettingError(
            "OCR_ENGINE: Tesseract needs the package tesserocr or the program tesseract, which is missing: "
            "apt-get install tesseract-ocr"
        )
    return PytesseractEngine(language, tessdata, settings.ocr_page_segmentation)


def tessdata_dir(settings: WorkerSettings) -> Path:
    """The folder of Tesseract's language data."""
    return Path(settings.tessdata_dir or Path(sysconfig.get_path("data")) / "share" / "tessdata")


def installed_languages(folder: Path) -> list[str]:
    """The languages that Tesseract can read with the data in a folder."""
    return sorted(path.stem for path in folder.glob("*.traineddata") if path.stem not in _NO_LANGUAGES)


class TesserocrEngine:
    """libtesseract in this process, with one instance for each thread."""

    def __init__(self, language: str, tessdata: Path, page_segmentation: int) -> None:
        self._page_segmentation = page_segmentation
        import tesserocr

        self._tesserocr = tesserocr
        self.language = language
        self._tessdata = tessdata
        self._of_thread = threading.local()

    def read_tsv(self, image: GrayImage, page_segmentation: int | None = None) -> str:
        """TSV of the image."""
        api = self._api()
        api.SetPageSegMode(self._page_segmentation if page_segmentation is None else page_segmentation)
        height, width = image.shape
        api.SetImageBytes(np.ascontiguousarray(image).tobytes(), width, height, 1, width)
        api.SetSourceResolution(SOURCE_DPI)
        text: str = api.GetTSVText(0)
        api.Clear()
        return text

    def facts(self) -> Mapping[str, Any]:
        """Engine, version, language data."""
        version = self._tesserocr.tesseract_version().splitlines()[0].strip()
        facts = {"engine": "tesserocr", "tesseract": version, "psm": self._page_segmentation}
        return facts | _data_facts(self.language, self._tessdata)

    def _api(self) -> Any:
        api = getattr(self._of_thread, "api", None)
        if api is None:
            api = self._tesserocr.PyTessBaseAPI(
                path=str(self._tessdata), lang=self.language, psm=self._page_segmentation
            )
            self._of_thread.api = api
        return api


class PytesseractEngine:
    """The program ``tesseract``, started for each image."""

    def __init__(self, language: str, tessdata: Path, page_segmentation: int) -> None:
        self._page_segmentation = page_segmentation
        self.language = language
        self._tessdata = tessdata

    def read_tsv(self, image: GrayImage, page_segmentation: int | None = None) -> str:
        """TSV of the image."""
        import pytesseract
        from PIL import Image

        picture = Image.fromarray(image)
        picture.format = "BMP"  # the default, PNG, takes longer than the reading
        psm = self._page_segmentation if page_segmentation is None else page_segmentation
        config = f'--psm {psm} --dpi {SOURCE_DPI} --tessdata-dir "{self._tessdata}"'
        text: str = pytesseract.image_to_data(picture, lang=self.language, config=config)
        return text.partition("\n")[2]

    def facts(self) -> Mapping[str, Any]:
        """Engine, version, language data."""
        import pytesseract

        version = str(pytesseract.get_tesseract_version())
        facts = {"engine": "pytesseract", "tesseract": version, "psm": self._page_segmentation}
        return facts | _data_facts(self.language, self._tessdata)


def _checked_language(chosen: str, settings: WorkerSettings, folder: Path) -> str:
    """The languages that were chosen, or those of the settings; raises SettingError if one is missing."""
    there = installed_languages(folder)
    language = chosen or settings.ocr_language
    missing = next((name for name in language.split("+") if name not in there), None)
    if missing is None:
        return language
    if chosen:
        installed = ", ".join(there) or "none"
        raise SettingError(f"There is no Tesseract data for {missing!r}; installed: {installed}")
    raise SettingError(
        f"OCR_LANGUAGE: there is no {missing}.traineddata in {folder}; install the package "
        f"tessdata-fast-{missing}, or set TESSDATA_DIR"
    )


def _data_facts(language: str, tessdata: Path) -> dict[str, Any]:
    hashes = [
        hashlib.sha256((tessdata / f"{name}.traineddata").read_bytes()).hexdigest()
        for name in language.split("+")
    ]
    return {"language": language, "traineddata_sha256": hashes}
