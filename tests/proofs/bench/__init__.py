"""Measures of speed and quality; each prints its rows. None of them is a test."""
