"""The simulated fleet beside the real thing: the same jobs in the local stack, with one and two workers."""
