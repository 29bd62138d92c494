"""The REST API, with all routes on one resolver."""
