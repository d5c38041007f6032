"""The contract as values: what ``schemas/`` says, and how its files are written."""
