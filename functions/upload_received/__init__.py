"""A video has landed in the bucket: check it and queue its job."""
