"""Encryption of what the database keeps for executions. Implements OPS-076 for inputs."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from penstock.base.errors import PenstockError
from penstock.expressions.encrypted import OPENING, sealed
from penstock.services.arguments import Function, text_argument
from penstock.services.file_access import Caller

_NONCE = 12
_KEY = 32


class EncryptionError(PenstockError):
    """Something cannot be encrypted or decrypted."""

    code = "ENCRYPTION"


class Encryption:
    """AES-GCM with the server's key.

    What is encrypted can be opened for the same input of the same flow only, so that nobody learns a secret by putting
    its encrypted form somewhere else.

    Args:
        key: The 32 bytes.
    """

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @classmethod
    def of_text(cls, key: str) -> Encryption:
        """Return the encryption with a key in base64.

        Raises:
            EncryptionError: It is not 32 bytes in base64.
        """
        try:
            decoded = base64.b64decode(key.strip(), validate=True)
        except (binascii.Error, ValueError):
            decoded = b""
        if len(decoded) != _KEY:
            raise EncryptionError(
                "the encryption key is not 32 bytes in base64", hint="make one with `openssl rand -base64 32`"
            )
        return cls(decoded)

    @classmethod
    def passing(cls) -> Encryption:
        """Return the encryption with a new key, for what nobody reads after this process."""
        return cls(os.urandom(_KEY))

    def seal(self, tenant: str, namespace: str, flow_id: str, input_id: str, value: str) -> dict[str, str]:
        """Return the encrypted form of an input's value."""
        nonce = os.urandom(_NONCE)
        data = self._cipher.encrypt(nonce, value.encode(), _place(tenant, namespace, flow_id, input_id))
        return sealed(base64.b64encode(nonce + data).decode())

    def open(self, tenant: str, namespace: str, flow_id: str, input_id: str, value: str) -> str:
        """Return the value.

        Raises:
            EncryptionError: It was encrypted with another key, or for another input.
        """
        try:
            data = base64.b64decode(value, validate=True)
            place = _place(tenant, namespace, flow_id, input_id)
            return self._cipher.decrypt(data[:_NONCE], data[_NONCE:], place).decode()
        except (InvalidTag, ValueError):
            raise EncryptionError(
                f"input `{input_id}` cannot be decrypted",
                hint="was `kestra.encryption.secret-key` changed since the execution began?",
            ) from None


class EncryptionFunctions:
    """Opens encrypted inputs for expressions; the worker masks what it gets (ENG-186).

    Args:
        encryption: With the server's key; None where there is none.
    """

    def __init__(self, encryption: Encryption | None) -> None:
        self._encryption = encryption

    def functions(self) -> Mapping[str, Function]:
        """Return the functions by name."""
        return {OPENING: self._open}

    async def _open(self, caller: Caller, arguments: Mapping[str, Any]) -> str:
        if self._encryption is None:
            raise EncryptionError(
                "encryption is not configured", hint="set `kestra.encryption.secret-key` in the server's configuration"
            )
        input_id, value = text_argument(arguments, "input"), text_argument(arguments, "value")
        return self._encryption.open(caller.tenant, caller.namespace, caller.flow_id, input_id, value)


def _place(*names: str) -> bytes:
    return "\0".join(names).encode()
