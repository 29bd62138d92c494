"""Videos as people have them: opened, indexed and decoded."""
