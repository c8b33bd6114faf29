"""Brokers of messages: what sending and receiving has in common, whatever the broker."""
