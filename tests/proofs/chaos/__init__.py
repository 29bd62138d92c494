"""The kill test: real processes, a network that fails, workers that are killed; nothing may be lost."""
