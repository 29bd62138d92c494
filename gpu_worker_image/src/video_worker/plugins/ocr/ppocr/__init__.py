"""Text reading with PP-OCR: a model finds lines of text, another reads each of them."""
