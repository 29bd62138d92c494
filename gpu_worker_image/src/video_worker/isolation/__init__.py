"""Decoding and inference in a process of their own, watched by the worker."""
