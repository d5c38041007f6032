"""What a client is called for: the standard cases, generated ones, and smaller ones that fail the same way."""
