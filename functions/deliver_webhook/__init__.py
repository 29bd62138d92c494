"""Deliver webhooks from their queue."""
