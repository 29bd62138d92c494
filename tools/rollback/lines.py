"""Files of JSON lines that survive a stop in the middle of writing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO


def read_lines(path: Path) -> Iterator[str]:
    """The lines of a file that may be missing; one that a stop cut off is left out."""
    if not path.is_file():
        return
    with path.open(encoding="utf-8", newline="\n") as file:
        yield from (line[:-1] for line in file if line.endswith("\n"))


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write a file, line by line and then in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    with new.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def append_lines(path: Path, lines: Iterable[str]) -> None:
    """Add lines; they are on the disk when this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        _cut_off_half_a_line(file)
        file.writelines(f"{line}\n".encode() for line in lines)
        file.flush()
        os.fsync(file.fileno())


def digest(lines: Iterable[str]) -> tuple[int, int]:
    """Count and hash of lines in any order: a table does not promise one."""
    count, total = 0, 0
    for line in lines:
        count += 1
        total = (total + int(hashlib.sha256(line.encode()).hexdigest(), 16)) % 2**256
    return count, total


def file_hash(path: Path, name: str = "sha256") -> str:
    """The hash of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(name, usedforsecurity=False)).hexdigest()


def _cut_off_half_a_line(file: BinaryIO) -> None:
    end = file.seek(0, os.SEEK_END)
    if end == 0:
        return
    file.seek(end - 1)
    if file.read(1) != b"\n":
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
