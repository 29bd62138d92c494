"""Load on the API: how fast it answers, and that it does not slow down as jobs accumulate."""
