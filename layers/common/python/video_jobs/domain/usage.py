"""What a job used, over all attempts, and what that costs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal

_HOUR_MS = 3_600_000
_LEAST_USD = Decimal("0.000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one attempt at a job used, or several together.

    Attributes
    ----------
    compute_ms
        How long a worker was occupied, from the claim to the end of the attempt.
    frames
        Frames that were analysed; those of an unfinished part are analysed again by the next attempt.
    bytes
        Bytes of video that were fetched.
    cost_usd
        What the compute time costs, each attempt rounded to a millionth of a US dollar; None if the price of
        a worker is not known.
    """

    compute_ms: int = 0
    frames: int = 0
    bytes: int = 0
    cost_usd: Decimal | None = None

    @classmethod
    def of_attempt(cls, lasted: timedelta, *, frames: int, fetched_bytes: int) -> Usage:
        """What an attempt used that ``lasted`` so long; it counts as 0 if the clock was set back."""
        compute_ms = max(0, round(lasted / timedelta(milliseconds=1)))
        return cls(compute_ms=compute_ms, frames=frames, bytes=fetched_bytes)

    def priced(self, usd_per_hour: Decimal | None) -> Usage:
        """The same with its cost at this price of a worker.

        Examples
        --------
        >>> Usage(compute_ms=90_000).priced(Decimal("0.526")).cost_usd
        Decimal('0.013150')
        """
        if usd_per_hour is None:
            return replace(self, cost_usd=None)
        exact = usd_per_hour * self.compute_ms / _HOUR_MS
        return replace(self, cost_usd=exact.quantize(_LEAST_USD, ROUND_HALF_EVEN))

    def since(self, earlier: Usage) -> Usage:
        """What was used after ``earlier``, which is in this one; without its cost."""
        return Usage(
            compute_ms=self.compute_ms - earlier.compute_ms,
            frames=self.frames - earlier.frames,
            bytes=self.bytes - earlier.bytes,
        )

    def added_to(self, earlier: Usage | None) -> Usage:
        """The sum with what earlier attempts used; its cost is unknown if one of the two is."""
        if earlier is None:
            return self
        unknown = self.cost_usd is None or earlier.cost_usd is None
        return Usage(
            compute_ms=earlier.compute_ms + self.compute_ms,
            frames=earlier.frames + self.frames,
            bytes=earlier.bytes + self.bytes,
            cost_usd=None if unknown else (earlier.cost_usd or Decimal()) + (self.cost_usd or Decimal()),
        )
