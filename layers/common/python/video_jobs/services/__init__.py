"""The use cases, one module and one verb each. They know ports, never AWS."""
