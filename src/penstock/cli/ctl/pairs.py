"""Key-value pairs of a server, written."""

from __future__ import annotations

from penstock.cli.remote import Remote, given, path_of


def pair_path(namespace: str, key: str) -> str:
    """Return where a pair is."""
    return path_of("namespaces", namespace, "kv", key)


def put_pair(
    remote: Remote,
    namespace: str,
    key: str,
    value: str,
    *,
    kind: str | None = None,
    ttl: str | None = None,
    description: str | None = None,
) -> None:
    """Set a pair. Implements ENG-370 in part.

    Args:
        remote: The server.
        namespace: Its namespace.
        key: Its key.
        value: JSON, a date, a duration or plain text.
        kind: The type it is to have; the one it shows by itself when None.
        ttl: How long it lives; for ever when None.
        description: What it is for.
    """
    about = given({"ttl": ttl, "description": description})
    headers = {name: text for name, text in about.items() if text.isascii()}  # headers hold nothing else
    remote.ask(
        "PUT",
        pair_path(namespace, key),
        content=value.encode(),
        params=given({"type": kind and kind.upper()}) | {name: about[name] for name in about.keys() - headers.keys()},
        headers={"Content-Type": "text/plain", **headers},
    )
