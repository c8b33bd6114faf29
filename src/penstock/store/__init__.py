"""Rows: executions, flows, triggers, logs, key-value pairs and settings on SQLite or PostgreSQL."""

from penstock.store.store import Store, open_store

__all__ = ["Store", "open_store"]
