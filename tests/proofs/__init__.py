"""Proofs: what shows the service's promises and figures, and takes too long for each `make test`."""
