"""Telling people: by web hooks of chats, and by mail."""
