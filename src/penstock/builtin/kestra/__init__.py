"""Tasks that call the API of a server: this one, or another."""
