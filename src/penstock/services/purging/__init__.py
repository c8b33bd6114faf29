"""Removing what is old, for good: executions, logs, files."""

from penstock.services.purging.functions import PurgeFunctions
from penstock.services.purging.service import Parts, Purged, PurgeService, Selection

__all__ = ["Parts", "PurgeFunctions", "PurgeService", "Purged", "Selection"]
