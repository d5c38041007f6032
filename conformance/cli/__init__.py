"""The commands: options in, a report and an exit code out. Each imports what it works with when it is called."""
