"""Repair jobs that were left behind, on a schedule."""
