"""Publish the end of every job, from the change stream of the job table."""
