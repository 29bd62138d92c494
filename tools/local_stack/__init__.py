"""The whole service on this machine: moto for AWS, the real handlers and the real worker, no Docker."""
