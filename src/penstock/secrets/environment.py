"""Secrets from environment variables `SECRET_<KEY>`."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Literal

from penstock.base.errors import PenstockError

Encoding = Literal["base64", "plain", "auto"]
PREFIX = "SECRET_"


class UndecodableSecret(PenstockError):
    """A variable does not hold what its encoding promises."""

    code = "UNDECODABLE_SECRET"


class EnvironmentSecrets:
    """Secrets of all namespaces, base64-encoded in the environment. Implements ENG-372, BEY-060.

    Args:
        environment: The variables.
        encoding: `base64` as documented; `plain`; `auto` takes what is valid base64 of text for base64.
    """

    def __init__(self, environment: Mapping[str, str], encoding: Encoding = "base64") -> None:
        self._encoding: Encoding = encoding
        self._values = {
            name.removeprefix(PREFIX): value for name, value in environment.items() if name.startswith(PREFIX)
        }

    async def find(self, tenant: str, namespace: str, key: str) -> str | None:
        """Return the secret's value; the key as written, or in capitals.

        Raises:
            UndecodableSecret: The variable is not base64.
        """
        for name in (key, key.upper()):
            if name in self._values:
                return decoded(f"environment variable {PREFIX}{name}", self._values[name], self._encoding)
        return None

    async def names(self, tenant: str, namespace: str) -> list[str]:
        """Return the names that exist."""
        return sorted(self._values)

    def where(self, key: str) -> str:
        """Return where it is looked for."""
        how = {"base64": "base64-encoded", "plain": "plain", "auto": "plain or base64-encoded"}[self._encoding]
        return f"environment variable {PREFIX}{key.upper()} ({how})"


def decoded(place: str, value: str, encoding: Encoding) -> str:
    """Return a value as its encoding says; the error names the place and never the value."""
    if encoding == "plain":
        return value
    try:
        return base64.b64decode("".join(value.split()), validate=True).decode()
    except (binascii.Error, ValueError):
        if encoding == "auto":
            return value
        raise UndecodableSecret(
            f"{place} is not base64 of text",
            hint="encode it: `printf %s 'value' | base64 -w0`, or set kestra.secret.encoding",
        ) from None
