"""Deterministic simulation: the real services and worker under a seeded scheduler that owns time and faults.

In the manner of FoundationDB and TigerBeetle: one seed is one schedule, and replays exactly.
"""
