"""Triggers every server has."""
