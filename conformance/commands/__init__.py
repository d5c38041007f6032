"""The commands, by what they are about; each imports what it works with only when it is called."""
