"""The OpenAPI document and the pages of docs/ that are made from code."""
