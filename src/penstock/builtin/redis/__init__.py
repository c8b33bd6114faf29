"""Redis: lists as sources of events."""
