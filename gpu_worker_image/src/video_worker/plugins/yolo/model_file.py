"""The model on disk: its path, its kind and its hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from video_jobs.domain.errors import SettingError


def checked_model_path(text: str) -> Path:
    """The path of the model.

    Raises
    ------
    SettingError
        If there is no model, because a worker must not use another one silently.
    """
    path = Path(text)
    if not path.exists():
        raise SettingError(
            f"MODEL_PATH: there is no model at {text}; name a file or folder that Ultralytics loads"
        )
    if path.is_dir() and not (path / "metadata.yaml").is_file():
        raise SettingError(f"MODEL_PATH: {text} holds no model exported by Ultralytics (no metadata.yaml)")
    return path


def is_openvino(path: Path) -> bool:
    """Whether ``path`` is an OpenVINO export (a folder with an .xml and a .bin)."""
    return path.is_dir() and any(path.glob("*.xml"))


def model_sha256(path: Path) -> str:
    """Hash over the names and contents of the files that the model consists of.

    Markdown files only describe the model, so that an edit of its README.md changes no fingerprint.
    """
    digest = hashlib.sha256()
    for file in _files_of(path):
        digest.update(file.name.encode())
        with file.open("rb") as content:
            digest.update(hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()


def _files_of(path: Path) -> Iterator[Path]:
    if path.is_file():
        return iter([path])
    return (file for file in sorted(path.rglob("*")) if file.is_file() and file.suffix.lower() != ".md")
