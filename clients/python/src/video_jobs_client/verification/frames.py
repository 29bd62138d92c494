"""Frames as bytes: those of a results file, and how two of them differ."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from typing import Any, NamedTuple, Self

from video_jobs_client.errors import ResultsError

_HEAD = b'{"results":[\n'
_TIMES_HEAD, _TAIL = b'],"timestamps_ms":[', b"]}\n"
_INDEX = re.compile(rb'\{"frame_index":(\d+),')
_NUMBER = re.compile(rb"[^,\[\]{}\n]+")
_LONGEST_VALUE = 60


class FrameBytes(NamedTuple):
    """A frame as it is in the results, and its time in milliseconds as JSON; None in results of old jobs."""

    frame_index: int
    time: bytes | None
    text: bytes

    @classmethod
    def of(cls, text: bytes, time: bytes | None) -> Self:
        """Read the index from the text of a frame.

        Raises
        ------
        ResultsError
            If the text is not that of a frame.
        """
        found = _INDEX.match(text)
        if found is None:
            raise ResultsError(f"This is no frame: {_short(text)}")
        return cls(int(found[1]), time, text)

    def difference(self, recomputed: FrameBytes) -> str | None:
        """How another computation of this frame differs, in a short sentence; None if it does not."""
        if self.text != recomputed.text:
            return _text_difference(self.text, recomputed.text)
        if self.time is not None and self.time != recomputed.time:
            return _told(
                "timestamps_ms", self.time.decode(errors="replace"), (recomputed.time or b"").decode()
            )
        return None


class StoredFrames:
    """The frames of a results file, in order; the file is read once on opening, and once for the frames.

    Attributes
    ----------
    count
        How many frames there are.

    Raises
    ------
    ResultsError
        If the file is no complete results file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self.count, tail = self._scanned()
        if not tail.endswith(_TAIL):
            raise ResultsError("The results end in the middle: download the file of results_url again")
        self._tail = tail.removeprefix(_TIMES_HEAD) if tail.startswith(_TIMES_HEAD) else None
        if self._tail is not None and sum(1 for _ in self._times()) != self.count:
            raise ResultsError(f"The results have {self.count} frames and another number of timestamps_ms")

    def __iter__(self) -> Iterator[FrameBytes]:
        last = -1
        for text, time in zip(self._lines(), self._times(), strict=False):
            frame = FrameBytes.of(text, time)
            if frame.frame_index <= last:
                raise ResultsError(f"Frame {frame.frame_index} comes after frame {last} in the results")
            last = frame.frame_index
            yield frame

    def _scanned(self) -> tuple[int, bytes]:
        """The number of frames, and the line after them."""
        count = 0
        with self._path.open("rb") as file:
            if file.readline() != _HEAD:
                raise ResultsError("This is no results file: download the one of results_url")
            for line in file:
                if line.startswith(b"]"):
                    return count, line + file.read()
                count += line != b"\n"
        return count, b""

    def _lines(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            file.readline()
            for line in file:
                if line.startswith(b"]"):
                    return
                if line != b"\n":  # which is all that results without a frame have
                    yield line.removesuffix(b"\n").removesuffix(b",")

    def _times(self) -> Iterator[bytes | None]:
        if self._tail is None:
            return repeat(None)
        return (found[0] for found in _NUMBER.finditer(self._tail))


def _text_difference(stored: bytes, recomputed: bytes) -> str:
    try:
        found = _first_difference(json.loads(stored), json.loads(recomputed), "")
    except ValueError:
        found = None
    return found or _byte_difference(stored, recomputed)


def _first_difference(stored: Any, recomputed: Any, path: str) -> str | None:
    """The first value that differs, by its path; None if there are only equal values."""
    if isinstance(stored, dict) and isinstance(recomputed, dict) and stored.keys() == recomputed.keys():
        pairs = [(f"{path}.{key}", stored[key], recomputed[key]) for key in stored]
    elif isinstance(stored, list) and isinstance(recomputed, list) and len(stored) == len(recomputed):
        both = enumerate(zip(stored, recomputed, strict=True))
        pairs = [(f"{path}[{number}]", *values) for number, values in both]
    else:
        return None if stored == recomputed else _told(path.lstrip("."), _value(stored), _value(recomputed))
    found = (_first_difference(left, right, where) for where, left, right in pairs)
    return next((one for one in found if one is not None), None)


def _byte_difference(stored: bytes, recomputed: bytes) -> str:
    pairs = enumerate(zip(stored, recomputed, strict=False))
    at = next((at for at, (one, other) in pairs if one != other), min(len(stored), len(recomputed)))
    return _told(f"byte {at}", _short(stored[at:]), _short(recomputed[at:]))


def _told(where: str, stored: str, recomputed: str) -> str:
    return f"{where}: {stored} in the results, {recomputed} recomputed"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return f"an object with {len(value)} entries"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def _short(text: bytes) -> str:
    return repr(text[:_LONGEST_VALUE])[1:]
