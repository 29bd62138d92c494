"""The OpenAPI document and the error catalogue, made from code."""
