"""Servers written from the documentation alone, which nobody tuned the suite to."""
