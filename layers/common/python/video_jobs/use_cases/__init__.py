"""The use cases, in one module for each kind of caller. They know ports and rules, but not AWS."""
