"""Namespaces: their names, and what is set for all flows of one."""

from penstock.services.namespaces.known import KnownNamespaces, Surroundings
from penstock.services.namespaces.names import check_namespace, lineage
from penstock.services.namespaces.service import NamespaceService

__all__ = ["KnownNamespaces", "NamespaceService", "Surroundings", "check_namespace", "lineage"]
