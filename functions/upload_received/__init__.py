"""Check each video that arrived in the bucket, and queue its job."""
