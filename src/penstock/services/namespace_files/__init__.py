"""Files of namespaces: their places and revisions, the use cases of people and the functions of tasks."""

from penstock.services.namespace_files.functions import NamespaceFileFunctions
from penstock.services.namespace_files.service import NamespaceFile, NamespaceFileService

__all__ = ["NamespaceFile", "NamespaceFileFunctions", "NamespaceFileService"]
