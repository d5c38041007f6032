"""The commands: options in, a statement and an exit code out; each imports what it works with when it is called."""
