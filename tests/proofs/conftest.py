"""The proofs share the fixtures of the integration tests."""

from tests.integration.conftest import resources, services

__all__ = ["resources", "services"]
