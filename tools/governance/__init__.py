"""Checks of the project's own rules: the words of its code, its plugins and pipelines."""
