"""The REST API: every route on one resolver."""
