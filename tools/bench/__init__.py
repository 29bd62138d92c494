"""Measures of speed and quality; each prints a table and writes JSON. None of them is a test."""
