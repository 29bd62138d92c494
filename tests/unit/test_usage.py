"""What a job used and what it costs: the arithmetic, and the price file."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from video_jobs.domain.prices import list_price, price_file
from video_jobs.domain.usage import Usage

LISTED = [(region, kind, entry) for region, kinds in price_file().items() for kind, entry in kinds.items()]


def usage(**values: Any) -> Usage:
    one: dict[str, Any] = {"compute_ms": 1000, "frames": 10, "bytes": 100, "cost_usd": Decimal("0.001")}
    return Usage(**(one | values))


@pytest.mark.parametrize(
    ("compute_ms", "usd_per_hour", "cost"),
    [
        (3_600_000, "0.526", "0.526000"),
        (90_000, "0.526", "0.013150"),
        (1, "0.526", "0.000000"),
        (0, "0.526", "0.000000"),
        (1500, "0.0036", "0.000002"),  # 0.0000015: half a millionth goes to the even neighbour
        (2500, "0.0036", "0.000002"),  # 0.0000025
        (2501, "0.0036", "0.000003"),
        (39_600_000, "1000", "11000.000000"),
        (3_600_000, "0", "0.000000"),
    ],
)
def test_the_cost_is_the_time_by_the_price_of_an_hour(compute_ms: int, usd_per_hour: str, cost: str) -> None:
    priced = usage(compute_ms=compute_ms, cost_usd=None).priced(Decimal(usd_per_hour))
    assert str(priced.cost_usd) == cost
    assert (priced.compute_ms, priced.frames, priced.bytes) == (compute_ms, 10, 100)


def test_without_a_price_there_is_no_cost() -> None:
    assert usage().priced(None) == usage(cost_usd=None)


def test_a_first_attempt_is_all_that_was_used() -> None:
    assert usage().added_to(None) == usage()


def test_attempts_add_up_exactly() -> None:
    total: Usage | None = None
    for _ in range(1000):
        total = usage(cost_usd=Decimal("0.000001")).added_to(total)
    assert total == Usage(compute_ms=1_000_000, frames=10_000, bytes=100_000, cost_usd=Decimal("0.001"))


@pytest.mark.parametrize("costs", [(None, Decimal(1)), (Decimal(1), None), (None, None)])
def test_one_attempt_of_unknown_cost_makes_the_sum_unknown(costs: tuple[Decimal | None, ...]) -> None:
    earlier, later = (usage(cost_usd=cost) for cost in costs)
    assert later.added_to(earlier) == Usage(compute_ms=2000, frames=20, bytes=200)


def test_an_attempt_is_measured_to_the_millisecond() -> None:
    used = Usage.of_attempt(timedelta(seconds=1, microseconds=1600), frames=3, fetched_bytes=9)
    assert used == Usage(compute_ms=1002, frames=3, bytes=9)


def test_a_clock_that_was_set_back_takes_nothing_away() -> None:
    assert Usage.of_attempt(timedelta(seconds=-5), frames=3, fetched_bytes=9).compute_ms == 0


@pytest.mark.parametrize(("region", "kind", "entry"), LISTED, ids=[kind for _, kind, _ in LISTED])
def test_every_price_has_a_date_and_a_source(region: str, kind: str, entry: dict[str, Any]) -> None:
    price = list_price(kind, region)
    assert price is not None
    assert 0 < price < 10
    assert date.fromisoformat(entry["date"]) >= date(2026, 1, 1)
    assert "AWS" in entry["source"] or "aws.amazon.com" in entry["source"]


@pytest.mark.parametrize(
    ("kind", "region"), [("", "us-east-1"), ("g4dn.xlarge", "eu-central-1"), ("g4dn.12xlarge", "us-east-1")]
)
def test_what_is_not_listed_has_no_price(kind: str, region: str) -> None:
    assert list_price(kind, region) is None
