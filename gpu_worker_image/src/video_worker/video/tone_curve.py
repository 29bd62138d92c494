"""One fixed mapping of pictures of high dynamic range (PQ and HLG) to the range of ordinary ones.

Only the brightness of each channel is mapped; the primaries stay those of BT.2020, so that colours look a
little paler than a player shows them. Source: SMPTE ST 2084, ITU-R BT.2100 and BT.2408 (reference white).
"""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from video_worker.video.open_video import Image

Transfer = Literal["pq", "hlg"]
TRANSFERS: dict[int, Transfer] = {16: "pq", 18: "hlg"}
"""By the number that H.273 gives a transfer characteristic."""

MAPPING = "knee-0.7-gamma-2.2"
"""The name of the mapping, for the fingerprint: change it with the mapping."""

_REFERENCE_WHITE_NITS = 203.0
_KNEE = 0.7


@cache
def tone_table(transfer: Transfer) -> NDArray[np.uint8]:
    """The 8-bit value of each 16-bit value of a channel."""
    signal = np.arange(1 << 16, dtype=np.float64) / ((1 << 16) - 1)
    light = _pq_light(signal) if transfer == "pq" else _hlg_light(signal)
    above = np.maximum(light - _KNEE, 0.0) / (1.0 - _KNEE)
    mapped = np.where(light <= _KNEE, light, _KNEE + (1.0 - _KNEE) * (1.0 - np.exp(-above)))
    return np.rint(255.0 * mapped ** (1 / 2.2)).astype(np.uint8)


def to_ordinary_range(rgb48: NDArray[np.uint16], transfer: Transfer) -> Image:
    """A BGR picture from one with 16 bits a channel, in the order R, G, B."""
    return np.take(tone_table(transfer), rgb48[:, :, ::-1])


def _pq_light(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Light relative to the reference white, by the EOTF of ST 2084."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 4096 * 128, 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    powered = signal ** (1 / m2)
    nits = 10_000.0 * (np.maximum(powered - c1, 0.0) / (c2 - c3 * powered)) ** (1 / m1)
    return nits / _REFERENCE_WHITE_NITS


def _hlg_light(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Light of a screen of 1000 nits relative to the reference white, which is 75 % of the signal."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073

    def shown(value: NDArray[np.float64]) -> NDArray[np.float64]:
        scene = np.where(value <= 0.5, value**2 / 3, (np.exp((value - c) / a) + b) / 12)
        return scene**1.2

    return shown(signal) / shown(np.array(0.75))
