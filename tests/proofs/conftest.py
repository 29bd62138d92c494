"""The proofs share the fixtures of the integration tests."""

from __future__ import annotations

from tests.integration.conftest import resources, services

__all__ = ["resources", "services"]
