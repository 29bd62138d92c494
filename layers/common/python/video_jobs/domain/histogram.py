"""Histograms with logarithmic buckets, whose counters can be added up by several writers."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from math import log2

BUCKETS_PER_DOUBLING = 16
"""A bucket's ends differ by 4 %, so that a quantile is wrong by at most that."""


def bucket_of(value: float) -> int:
    """The number of the bucket that holds a value; all values up to 1 are in the first.

    Examples
    --------
    >>> bucket_of(1), bucket_of(2), bucket_of(1000)
    (0, 16, 159)
    """
    return round(BUCKETS_PER_DOUBLING * log2(max(1.0, value)))


def quantile(counts: Mapping[int, int], share: float) -> float:
    """The value that this share of what was counted does not exceed, evenly spread within its bucket.

    Raises
    ------
    ValueError
        If nothing was counted.

    Examples
    --------
    >>> round(quantile({160: 1}, 0.5))
    1024
    """
    buckets = sorted(bucket for bucket, count in counts.items() if count > 0)
    if not buckets:
        raise ValueError("nothing was counted")
    wanted = share * sum(counts[bucket] for bucket in buckets)
    ends = dict(zip(buckets, accumulate(counts[bucket] for bucket in buckets), strict=True))
    found = next((bucket for bucket, end in ends.items() if end >= wanted), buckets[-1])
    within = 1 - (ends[found] - wanted) / counts[found]
    return float(2.0 ** ((found - 0.5 + min(1.0, within)) / BUCKETS_PER_DOUBLING))
