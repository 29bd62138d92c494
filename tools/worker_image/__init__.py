"""Build the worker's image, and start it as the local stack's worker."""
