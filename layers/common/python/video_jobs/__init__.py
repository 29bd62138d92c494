"""Video jobs: the domain, use cases, ports and adapters that the functions and the worker share."""
