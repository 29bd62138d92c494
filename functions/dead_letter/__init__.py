"""Fail the jobs whose messages no worker could finish."""
