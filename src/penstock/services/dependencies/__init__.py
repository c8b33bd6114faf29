"""Which flows start which: from their sources alone."""

from penstock.services.dependencies.service import Dependencies, DependencyService, Relation

__all__ = ["Dependencies", "DependencyService", "Relation"]
