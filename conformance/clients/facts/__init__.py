"""Facts about one call of a client: what was asked and sent, what was answered and reported."""
