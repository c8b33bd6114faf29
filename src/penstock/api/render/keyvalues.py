"""Key-value pairs as JSON.

Implements API-040 (pairs).
"""

from __future__ import annotations

from typing import Any

from penstock.api.render.instants import iso
from penstock.ports.keyvalue import KeyValue


def render_entry(pair: KeyValue) -> dict[str, Any]:
    """Return a pair as lists show it."""
    body: dict[str, Any] = {"namespace": pair.namespace, "key": pair.key, "version": pair.version}
    if pair.description is not None:
        body["description"] = pair.description
    body |= {"creationDate": iso(pair.created), "updateDate": iso(pair.updated)}
    if pair.expires is not None:
        body["expirationDate"] = iso(pair.expires)
    return body


def render_value(pair: KeyValue) -> dict[str, Any]:
    """Return a pair's value."""
    return {"type": pair.type, "value": pair.value, "revision": pair.version, "updated": iso(pair.updated)}


def render_detail(pair: KeyValue) -> dict[str, Any]:
    """Return all there is to know of a pair."""
    return {**render_entry(pair), "type": pair.type, "value": pair.value, "revision": pair.version}
