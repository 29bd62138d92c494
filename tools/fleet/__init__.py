"""The service simulated with many workers: how long jobs wait, and what they cost."""
