"""Which pictures a sampling selects, compared with a slow search that follows the words of the definition."""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from video_jobs.domain.sampling import EVERY_PICTURE, Sampling
from video_worker.video.selection import Choice, candidates

from tests.support.sampled import selected


class Times(tuple[int, ...]):
    def time_us(self, index: int) -> int:
        return self[index]


def at_rate(rate: Fraction, pictures: int = 12) -> Times:
    return Times(round(number * 1_000_000 / rate) for number in range(pictures))


def chosen(times: Times, **sampling: float) -> list[int]:
    return list(candidates(times, Sampling(**sampling)))  # type: ignore[arg-type]


NTSC = Fraction(30_000, 1001)


@pytest.mark.parametrize(
    ("rate", "sampling", "expected"),
    [
        (Fraction(25), {"start_ms": 40, "end_ms": 160}, [1, 2, 3]),
        (Fraction(25), {"start_ms": 40.001, "end_ms": 160.001}, [2, 3, 4]),
        (Fraction(30), {"start_ms": 33.333, "end_ms": 66.667}, [1]),
        (Fraction(25), {"start_ms": 70, "end_ms": 350, "stride": 3}, [3, 6]),
        (Fraction(25), {"start_ms": 1e12}, []),
        (Fraction(25), {"start_ms": 41, "end_ms": 42}, []),
        (Fraction(30), {"frames_per_second": 30}, list(range(12))),
        (Fraction(60), {"frames_per_second": 30}, [0, 2, 4, 6, 8, 10]),
        (NTSC, {"frames_per_second": 30}, list(range(12))),
        (NTSC, {"frames_per_second": 29.97}, [0, 1, 2, 3, 4, 6, 7, 9, 10]),
        (NTSC, {"frames_per_second": 10}, [0, 3, 6, 9]),
        (Fraction(25), {"frames_per_second": 10}, [0, 3, 5, 8, 10]),
        (Fraction(25), {"frames_per_second": 10, "start_ms": 50}, [2, 4, 7, 9]),
        (Fraction(1, 2), {"frames_per_second": 0.1}, [0, 5, 10]),
        (Fraction(1, 2), {"frames_per_second": 1000}, list(range(12))),
        (Fraction(25), {"frames_per_second": 0.0001}, [0]),
    ],
)
def test_pictures_are_selected(rate: Fraction, sampling: dict[str, float], expected: list[int]) -> None:
    assert chosen(at_rate(rate), **sampling) == expected


def thousandths(numbers: st.SearchStrategy[int]) -> st.SearchStrategy[float | None]:
    return st.none() | numbers.map(lambda number: number / 1000)


STEPS = st.one_of(
    st.lists(st.integers(0, 60_000), max_size=25),
    st.builds(lambda step, n: [step] * n, st.sampled_from([1, 5000, 33_333, 40_000]), st.integers(0, 25)),
)
SAMPLINGS = st.builds(
    Sampling,
    stride=st.integers(1, 4),
    start_ms=thousandths(st.integers(0, 10**6)),
    end_ms=thousandths(st.integers(1, 2 * 10**6)),
    frames_per_second=thousandths(
        st.integers(1, 240_000) | st.sampled_from([100, 15_360, 25_000, 29_970, 30_000])
    ),
)


@given(STEPS.map(lambda steps: Times(accumulate(steps, initial=0))), SAMPLINGS)
@example(Times([0, 150_000, 195_312]), Sampling(frames_per_second=15.36))
def test_the_selection_is_that_of_the_definition(times: Times, sampling: Sampling) -> None:
    # GIVEN the candidates by the definition
    expected = selected(times, sampling)
    # THEN these are selected if all times are known
    found = candidates(times, sampling)
    assert list(found) == expected
    # AND if the times become known one after the other
    choice = Choice(sampling)
    assert [index for index, time_us in enumerate(times) if choice.takes(index, time_us)] == expected
    # AND whoever sees the candidates alone, from any of them on, finds them right
    for first in range(len(expected)):
        choice = Choice(sampling)
        assert all(choice.takes(index, times[index]) for index in found[first:])


@pytest.mark.parametrize(
    ("index", "time_us"),
    [(3, 100_000), (2, 200_000), (6, 199_999), (4, 400_000), (5, 200_000), (8, 1_000_000)],
)
def test_what_is_no_candidate_is_recognised(index: int, time_us: int) -> None:
    choice = Choice(Sampling(stride=2, start_ms=100, end_ms=1000, frames_per_second=10))
    assert choice.takes(4, 150_000)
    assert not choice.takes(index, time_us)


def test_pictures_of_a_stride_take_no_memory() -> None:
    class Endless(Times):
        def __len__(self) -> int:
            return 10**12

        def time_us(self, index: int) -> int:
            return index * 40_000

    assert candidates(Endless(), EVERY_PICTURE)[10**11] == 10**11
    later = Sampling(stride=7, start_ms=1e9, end_ms=1e12)
    assert candidates(Endless(), later)[10**8] == 25_000_003 + 7 * 10**8
