"""Facts about one call of a client: its arguments, requests, responses and report."""
