"""All a plugin may import."""
