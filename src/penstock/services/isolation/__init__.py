"""Plugins in environments of their own: what they do happens in processes that see their own libraries.

The server never imports such a plugin. It knows its types from a manifest, makes classes that stand for them, and has
the work done by processes at the other end of a pipe, each for one piece of work at a time.
"""
