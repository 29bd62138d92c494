"""One folder a Lambda function, its handler in app.py."""
