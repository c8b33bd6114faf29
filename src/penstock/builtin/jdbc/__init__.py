"""Databases: queries, inserts in batches, and triggers on rows."""
