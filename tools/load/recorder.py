"""What one call of the API asks of AWS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from botocore.client import BaseClient


@dataclass(slots=True)
class AwsUse:
    """The requests by their operation, and the items that tables looked at for them.

    A query tells how many it looked at (``ScannedCount``), whether or not it gives them; a read by key
    looks at the one that it gives.
    """

    operations: list[str] = field(default_factory=list)
    evaluated: int = 0


@contextmanager
def aws_use() -> Iterator[AwsUse]:
    """Count every request to AWS that this process makes inside; PynamoDB's go the same way."""
    use = AwsUse()
    call = BaseClient._make_api_call  # type: ignore[attr-defined]

    def counted(client: Any, operation: str, arguments: Any) -> Any:
        use.operations.append(operation)
        answer = call(client, operation, arguments)
        use.evaluated += answer.get("ScannedCount", int("Item" in answer))
        return answer

    with patch.object(BaseClient, "_make_api_call", counted):
        yield use
