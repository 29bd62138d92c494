"""Open items with a due time, from before the due-work index was spread over shards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SHARDS = 4


def changes(item: Mapping[str, Any]) -> dict[str, Any]:
    """The shard, where the item is due for something and has none."""
    if "due_at" not in item or "due_shard" in item:
        return {}
    return {"due_shard": {"N": str(int(item["job_id"]["S"][0], 16) % _SHARDS)}}
