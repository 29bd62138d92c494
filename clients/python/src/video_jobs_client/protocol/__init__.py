"""What is said between client and service, without sending anything.

Every operation is written once, as a generator of steps (`effects`): it yields what is to be done, and gets
back what came of it. `SyncDriver` and `AsyncDriver` do it, so that both clients behave the same.
"""
