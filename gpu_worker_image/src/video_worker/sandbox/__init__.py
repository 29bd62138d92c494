"""Demuxing and decoding in a process that owns nothing, one for each job."""
