"""What the items of the state table have in common; the table holds what is no job."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from pynamodb.attributes import TTLAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from video_jobs.adapters.aws.iso_time import IsoTimeAttribute

ItemT = TypeVar("ItemT", bound="StateItem")


class StateItem(Model):
    """The keys of every item; ``expires_at`` is when the table drops it."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    expires_at = TTLAttribute(null=True)


class LeasedItem(StateItem):
    """An item that one process at a time may change."""

    lease_owner = UnicodeAttribute(null=True)
    lease_expires_at = IsoTimeAttribute(null=True)

    @classmethod
    def lease_is_free(cls, now: datetime) -> Condition:
        """The condition that nobody holds it."""
        nobody = cls.lease_expires_at.does_not_exist()
        ended = cls.lease_expires_at <= now
        is_free: Condition = nobody | ended  # a live lease is never broken
        return is_free


def bound_model(model: type[ItemT], table_name: str, region: str) -> type[ItemT]:
    """A model of the state table, bound to one table."""
    meta = type("Meta", (), {"table_name": table_name, "region": region})
    return type(f"Bound{model.__name__}", (model,), {"Meta": meta})
