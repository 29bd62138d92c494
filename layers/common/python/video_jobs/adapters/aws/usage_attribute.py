"""What a job used, in its item."""

from __future__ import annotations

import json
from dataclasses import asdict
from decimal import Decimal

from pynamodb.attributes import Attribute
from pynamodb.constants import STRING

from video_jobs.domain.usage import Usage


class UsageAttribute(Attribute[Usage]):
    """JSON; the cost is a text, because it is exact."""

    attr_type = STRING

    def serialize(self, value: Usage) -> str:
        """Usage to JSON."""
        return json.dumps(asdict(value), default=str)

    def deserialize(self, value: str) -> Usage:
        """JSON to usage; what a later release may add is passed over."""
        stored = json.loads(value)
        cost = stored["cost_usd"]
        return Usage(
            compute_ms=stored["compute_ms"],
            frames=stored["frames"],
            bytes=stored["bytes"],
            cost_usd=None if cost is None else Decimal(cost),
        )
