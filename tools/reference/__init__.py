"""Pages of docs/ that are made from code, and how the tests read the others."""
