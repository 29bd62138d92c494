"""Files that are replaced when they are complete, and not before."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(target: str | os.PathLike[str]) -> Iterator[Path]:
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
