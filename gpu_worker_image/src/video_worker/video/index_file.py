"""The packets of an index as bytes, for another reader of the same file.

The format: the number of packets (8 bytes), then, compressed by zlib, a column after the other of 8-byte
numbers: the timestamps of display and of decoding, sizes, durations, each less the one before, and flags.
All numbers are little-endian; a timestamp that is not known is the least number. Where the packets are in the
file is not told: who reads the file finds out.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from video_worker.video.index import PacketRecord

_COUNT = struct.Struct("<Q")
_MOST_PACKETS = 1 << 24
_UNKNOWN = -(1 << 63)
_DIFFERENCES = 4
_DISCARDED, _RESET = 1, 2
_LEVEL = 2
Numbers = NDArray[np.int64]


def encode_packets(packets: Sequence[PacketRecord]) -> bytes:
    """The packets as bytes, without their positions."""
    columns = np.empty((_DIFFERENCES + 1, len(packets)), "<i8")
    for row, name in enumerate(("pts", "dts", "size", "duration")):
        numbers = (getattr(packet, name) for packet in packets)
        told = [_UNKNOWN if number is None else number for number in numbers]
        columns[row] = np.diff(np.array(told, np.int64), prepend=0)
    columns[-1] = [packet.is_discarded * _DISCARDED | packet.is_reset * _RESET for packet in packets]
    return _COUNT.pack(len(packets)) + zlib.compress(columns.tobytes(), _LEVEL)


def decode_packets(content: bytes) -> list[PacketRecord]:
    """The packets of these bytes.

    Raises
    ------
    ValueError
        If the bytes are no packets.
    """
    columns = _columns(content)
    shown, decoded, sizes, durations = np.cumsum(columns[:_DIFFERENCES], axis=1).tolist()
    rows = zip(map(_time, shown), map(_time, decoded), sizes, durations, columns[-1].tolist(), strict=True)
    return [
        PacketRecord(pts, dts, size, duration, bool(flags & _DISCARDED), bool(flags & _RESET))
        for pts, dts, size, duration, flags in rows
    ]


def _columns(content: bytes) -> Numbers:
    count = int.from_bytes(content[: _COUNT.size], "little")
    if count > _MOST_PACKETS:
        raise ValueError(f"an index has {count} packets")
    size = count * 8 * (_DIFFERENCES + 1)
    compressed = zlib.decompressobj()
    try:
        numbers = compressed.decompress(content[_COUNT.size :], size + 1)
    except zlib.error as exc:
        raise ValueError("an index is damaged") from exc
    if len(numbers) != size or not compressed.eof:
        raise ValueError(f"an index of {count} packets has another length, or no end")
    return np.frombuffer(numbers, "<i8").reshape(_DIFFERENCES + 1, count).astype(np.int64)


def _time(told: int) -> int | None:
    return None if told == _UNKNOWN else told
