"""What AWS lists as the price of a worker (prices.json)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("prices.json")


def list_price(instance_type: str, region: str) -> Decimal | None:
    """US dollars for an hour of a worker on this instance type, or on ``fargate``; None if none is listed.

    Examples
    --------
    >>> list_price("g4dn.xlarge", "us-east-1")
    Decimal('0.526')
    """
    if not instance_type:
        return None
    listed = price_file().get(region, {}).get(instance_type)
    return None if listed is None else Decimal(listed["usd_per_hour"])


def price_of_a_minute(service: str, region: str) -> Decimal:
    """US dollars that another service takes for a minute of video.

    Examples
    --------
    >>> price_of_a_minute("rekognition_video", "us-east-1")
    Decimal('0.10')
    """
    return Decimal(service_file()[region][service]["usd_per_minute"])


@cache
def price_file() -> Mapping[str, Mapping[str, Any]]:
    """By region and instance type: the price, its parts, its date and its source."""
    return {name: part for name, part in _whole_file().items() if name not in ("about", "services")}


@cache
def service_file() -> Mapping[str, Mapping[str, Any]]:
    """By region and service: the price of a minute, its date and its source."""
    services: dict[str, dict[str, Any]] = _whole_file()["services"]
    return services


@cache
def _whole_file() -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return whole
