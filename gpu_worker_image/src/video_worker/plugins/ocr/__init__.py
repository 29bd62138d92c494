"""Text reading with Tesseract."""
