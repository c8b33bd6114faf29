"""Changes of databases as sources of events."""
