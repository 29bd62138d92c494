"""The proofs share the fixtures of the integration tests."""

from __future__ import annotations

from tests.integration.conftest import app, clock, resources, services

__all__ = ["app", "clock", "resources", "services"]
