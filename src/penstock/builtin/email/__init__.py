"""Mail: letters as something to send, and as a source of events."""
