"""Open items with a due time, from before the due-work index was spread over shards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SHARDS = 4


def changes(item: Mapping[str, Any]) -> dict[str, Any]:
    """The shard, if the item has a due time but no shard."""
    if "due_at" not in item or "due_shard" in item:
        return {}
    return {"due_shard": {"N": str(int(item["job_id"]["S"][0], 16) % _SHARDS)}}
