"""The job's life: domain, services, ports and adapters shared by the functions and the worker."""
