"""Tasks on namespace files."""
