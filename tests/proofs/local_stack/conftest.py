"""What takes long about the local stack is proved on one, as the end-to-end tests have it."""

from __future__ import annotations

from tests.e2e.conftest import api, receiver, source_server, stack

__all__ = ["api", "receiver", "source_server", "stack"]
