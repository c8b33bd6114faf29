"""Session cookies: signed, dated, and void once the password changes. Nothing about them is stored.

The key is derived from the server's secret and the password's hash, so every server on one database accepts the
sessions of the others.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from penstock.base.clock import SECOND, Instant, Micros

LIFETIME: Micros = 14 * 24 * 3600 * SECOND


class Sessions:
    """Makes and reads session cookies.

    Args:
        secret: The server's secret.
        password_hash: The hash of the account's password.
        lifetime: How long a session lasts.
    """

    def __init__(self, secret: str, password_hash: str, lifetime: Micros = LIFETIME) -> None:
        self._key = hashlib.sha256(f"penstock session\0{secret}\0{password_hash}".encode()).digest()
        self._lifetime = lifetime

    def issue(self, username: str, now: Instant) -> str:
        """Return the cookie of a new session."""
        body = f"{(now + self._lifetime) // SECOND}.{_text(username.encode())}"
        return f"{body}.{self._signature(body)}"

    def read(self, cookie: str, now: Instant) -> str | None:
        """Return the name of the user the cookie stands for; None when it is forged, broken or too old."""
        body, _, signature = cookie.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(body).encode()):
            return None
        expires, _, name = body.partition(".")
        if int(expires) * SECOND < now:
            return None
        return _bytes(name).decode()

    def _signature(self, body: str) -> str:
        return _text(hmac.digest(self._key, body.encode(), "sha256"))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def decode_basic(value: str) -> tuple[str, str] | None:
    """Return (name, password) of base64 `name:password`; None when it is something else."""
    try:
        name, colon, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (name, password) if colon else None
