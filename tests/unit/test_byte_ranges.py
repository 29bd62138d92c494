"""Ranges of bytes: none is lost when they are joined, and they stay few."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from video_jobs.domain.byte_ranges import joined, within

RANGES = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)))


def numbers(ranges: object) -> set[int]:
    return {number for start, end in ranges for number in range(start, end)}  # type: ignore[attr-defined]


@given(RANGES)
def test_joined_ranges_have_the_same_bytes_in_order(ranges: list[tuple[int, int]]) -> None:
    found = joined(ranges)
    assert numbers(found) == numbers(ranges)
    ends = [place for one in found for place in one]
    assert ends == sorted(set(ends))


@given(RANGES, st.integers(0, 9), st.integers(1, 5))
def test_only_small_gaps_are_closed_until_the_ranges_are_few(
    ranges: list[tuple[int, int]], gap: int, most: int
) -> None:
    exact, found = joined(ranges), joined(ranges, gap=gap, most=most)
    assert numbers(found) >= numbers(exact)
    assert len(found) <= most
    closed = [one for one in joined(numbers_between(exact, found)) if one.size > gap]
    kept = [later.start - earlier.end for earlier, later in pairwise(found)]
    assert all(one.size <= least for one in closed for least in kept)
    assert all(least > gap for least in kept)


def numbers_between(exact: object, found: object) -> list[tuple[int, int]]:
    return [(number, number + 1) for number in numbers(found) - numbers(exact)]


@given(RANGES, st.integers(0, 60))
def test_what_is_beyond_the_end_of_a_file_is_left_out(ranges: list[tuple[int, int]], size: int) -> None:
    assert numbers(within(ranges, size)) == numbers(ranges) & set(range(size))
