"""Tasks that talk HTTP."""
