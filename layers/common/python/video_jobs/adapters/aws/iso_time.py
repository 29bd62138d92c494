"""Times in the items of both tables."""

from __future__ import annotations

from datetime import datetime

from pynamodb.attributes import Attribute
from pynamodb.constants import STRING

from video_jobs.domain.job import from_iso, to_iso


class IsoTimeAttribute(Attribute[datetime]):
    """A time as ISO 8601 text in UTC; as text, it sorts in the order of time."""

    attr_type = STRING

    def serialize(self, value: datetime) -> str:
        """Time to text."""
        return to_iso(value)

    def deserialize(self, value: str) -> datetime:
        """Text to time."""
        return from_iso(value)
