"""Call the URLs that jobs named, from the queue of webhooks."""
