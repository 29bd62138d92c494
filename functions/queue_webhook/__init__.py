"""The function `queue_webhook`."""
