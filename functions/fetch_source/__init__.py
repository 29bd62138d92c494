"""The function that fetches videos from the URLs that clients submit."""
