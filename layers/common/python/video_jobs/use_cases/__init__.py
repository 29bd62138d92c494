"""The use cases, a module for each that asks. They know ports and rules, never AWS."""
