"""A message that no worker could finish: fail its job with the reason."""
