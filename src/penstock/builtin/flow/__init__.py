"""Control flow: which tasks run, in which order, how often."""
