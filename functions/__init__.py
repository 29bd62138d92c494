"""The Lambda functions, one folder for each, with the handler in app.py."""
