"""Read answers from files, and replace files when they are complete and not before."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias, TypeVar

import msgspec

from video_jobs_client.errors import ResultsError

PathOrName: TypeAlias = "str | os.PathLike[str]"
T = TypeVar("T")


def json_file(path: PathOrName, kind: type[T]) -> T:
    """The content of a JSON file.

    Raises
    ------
    ResultsError
        If it is not of this kind.
    """
    try:
        return msgspec.json.decode(Path(path).read_bytes(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ResultsError(f"{path} is not the file that is needed here: {error}") from None


@contextmanager
def replacing(target: PathOrName) -> Iterator[Path]:
    """A path to write to, which replaces ``target`` at the end; if something fails, that stays as it was."""
    path = Path(target)
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


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
