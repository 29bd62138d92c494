"""Read answers from files, and replace files when they are complete and not before."""

from __future__ import annotations

import os
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
