"""Tasks that run shell commands and scripts in other languages."""
