"""The shell: loops and use cases that carry out what the engine decides. Knows ports, never a database."""
