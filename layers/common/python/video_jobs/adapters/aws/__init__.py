"""Adapters on AWS."""
