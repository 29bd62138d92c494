"""The built-in plugins, one folder each: a manifest.json and the code behind it."""
