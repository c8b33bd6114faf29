"""Namespaces as JSON. Implements API-042."""

from __future__ import annotations

from typing import Any

from penstock.ports.namespaces import Namespace


def render_namespace(namespace: Namespace) -> dict[str, Any]:
    """Return a namespace with its own settings."""
    body: dict[str, Any] = {"id": namespace.id, "deleted": False}
    if namespace.description is not None:
        body["description"] = namespace.description
    if namespace.variables:
        body["variables"] = dict(namespace.variables)
    if namespace.plugin_defaults:
        body["pluginDefaults"] = [dict(one) for one in namespace.plugin_defaults]
    return body
