"""The built-in plugins, one folder for each, with its manifest.json and its code."""
