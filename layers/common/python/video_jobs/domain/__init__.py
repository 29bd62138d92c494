"""The job and its rules. Standard library only; nothing here knows AWS, HTTP or video decoding."""
