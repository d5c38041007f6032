"""What a client is asked to do: the standard cases, generated ones, and smaller ones that fail the same way."""
