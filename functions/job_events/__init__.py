"""The change stream of the job table: tell the event bus of every job that ended."""
