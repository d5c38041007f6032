"""Servers written from the documentation alone, independently of the suite."""
