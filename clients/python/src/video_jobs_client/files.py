"""Read answers from files, and replace files when they are complete and not before."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias, TypeVar

import msgspec

from video_jobs_client.errors import ResultsError
from video_jobs_client.models.base import NOT_AS_EXPECTED

PathOrName: TypeAlias = "str | os.PathLike[str]"
T = TypeVar("T")
_SHOWN_OF_NAME = 40
"""So many letters of a name are also in that of its unfinished file; names have a greatest length."""


def json_file(path: PathOrName, kind: type[T]) -> T:
    """The content of a JSON file.

    Raises
    ------
    ResultsError
        If it is not of this kind.
    """
    try:
        return msgspec.json.decode(Path(path).read_bytes(), type=kind)
    except NOT_AS_EXPECTED as error:
        raise ResultsError(f"{path} is not the file that is needed here: {error}") from None


def ffmpeg_name(path: PathOrName) -> str:
    """The name that FFmpeg takes for this file: in others, what stands before a colon is a protocol."""
    return str(Path(path).absolute())


@contextmanager
def replacing(target: PathOrName, mode: int = 0o666) -> Iterator[Path]:
    """A path to write to, which replaces ``target`` at the end; if something fails, that stays as it was.

    ``mode`` is that of the new file, less what the umask takes away. A pipe or a device is written directly.
    """
    if is_stream(target):
        yield Path(target)
        return
    path = Path(target).resolve()  # the file that a link names is replaced, not the link
    unfinished = _made_beside(path, target, mode)
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def is_stream(target: PathOrName) -> bool:
    """Whether it is a pipe or a device, which cannot be replaced, or begun again."""
    path = Path(target)
    return path.exists() and not path.is_file()


def _made_beside(path: Path, target: PathOrName, mode: int) -> Path:
    """A new, empty file of a name that nobody else has."""
    made = path.with_name(f"{path.name[:_SHOWN_OF_NAME]}.{secrets.token_hex(4)}.unfinished")
    try:
        os.close(os.open(made, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
    except OSError as error:  # names what the caller knows
        raise OSError(error.errno, error.strerror, os.fspath(target)) from None
    return made


def replace_privately(path: Path, text: str) -> None:
    """Write a file that only its owner may read and that is never half written; makes its folder."""
    target = path.resolve()  # a link to where somebody keeps his settings stays one
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, unfinished = tempfile.mkstemp(dir=target.parent, prefix=f"{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(unfinished).replace(target)
    finally:
        Path(unfinished).unlink(missing_ok=True)
