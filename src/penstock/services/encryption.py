"""Encryption of what the database keeps for executions. Implements OPS-076."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from penstock.base.errors import PenstockError
from penstock.expressions.encrypted import OPENING, SEALING, sealed
from penstock.ports.secrets import SecretSource
from penstock.services.arguments import Function, reading, text_argument
from penstock.services.file_access import Caller

_NONCE = 12
_KEY = 32
_KEYS = (16, 24, 32)
_ADVICE = "make one with `openssl rand -base64 32`"
_SALT = b"penstock secrets"
"""Keys made of a phrase are the same on all servers of a database."""
_OUTPUT = "\1output"
_KEPT = "\1kept"
"""No namespace is called so."""


class EncryptionError(PenstockError):
    """Something cannot be encrypted or decrypted."""

    code = "ENCRYPTION"


class Encryption:
    """AES-GCM with the server's key.

    An input can be opened for the same input of the same flow only, so that nobody learns a secret by putting its
    encrypted form somewhere else. Outputs are handed on between flows, so they can be opened all over their tenant;
    the API never shows their encrypted form.

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
            raise EncryptionError("the encryption key is not 32 bytes in base64", hint=_ADVICE)
        return cls(decoded)

    @classmethod
    def of_phrase(cls, phrase: str) -> Encryption:
        """Return the encryption with a key in base64, or with one made of any other text (GOV-231)."""
        try:
            return cls.of_text(phrase)
        except EncryptionError:
            return cls(hashlib.scrypt(phrase.encode(), salt=_SALT, n=2**14, r=8, p=1, dklen=_KEY))

    @classmethod
    def passing(cls) -> Encryption:
        """Return the encryption with a new key, for what nobody reads after this process."""
        return cls(os.urandom(_KEY))

    def seal(self, tenant: str, namespace: str, flow_id: str, input_id: str, value: str) -> dict[str, str]:
        """Return the encrypted form of an input's value."""
        return self._seal(_place(tenant, namespace, flow_id, input_id), value)

    def open(self, tenant: str, namespace: str, flow_id: str, input_id: str, value: str) -> str:
        """Return the value.

        Raises:
            EncryptionError: It was encrypted with another key, or for another input.
        """
        return self._open(_place(tenant, namespace, flow_id, input_id), value, f"input `{input_id}`")

    def seal_output(self, tenant: str, value: str) -> dict[str, str]:
        """Return the encrypted form of an output's value."""
        return self._seal(_place(tenant, _OUTPUT), value)

    def open_output(self, tenant: str, value: str) -> str:
        """Return the value of an output.

        Raises:
            EncryptionError: It was encrypted with another key, or is no output of this tenant.
        """
        return self._open(_place(tenant, _OUTPUT), value, "the output")

    def seal_secret(self, tenant: str, namespace: str, key: str, value: str) -> str:
        """Return the encrypted form of a namespace's secret."""
        return self._encrypt(_place(tenant, _KEPT, namespace, key), value)

    def open_secret(self, tenant: str, namespace: str, key: str, value: str) -> str:
        """Return the value of a namespace's secret.

        Raises:
            EncryptionError: It was encrypted with another key, or as another secret.
        """
        what = f"secret `{key}` of namespace {namespace}"
        return self._open(_place(tenant, _KEPT, namespace, key), value, what, since="it was set")

    def _seal(self, place: bytes, value: str) -> dict[str, str]:
        return sealed(self._encrypt(place, value))

    def _encrypt(self, place: bytes, value: str) -> str:
        return _encrypted(self._cipher, value, place)

    def _open(self, place: bytes, value: str, what: str, *, since: str = "the execution began") -> str:
        try:
            data = base64.b64decode(value, validate=True)
            return self._cipher.decrypt(data[:_NONCE], data[_NONCE:], place).decode()
        except (InvalidTag, ValueError):
            raise EncryptionError(
                f"{what} cannot be decrypted",
                hint=f"was `kestra.encryption.secret-key` changed since {since}?",
            ) from None


class TextEncryption:
    """`encrypt()` and `decrypt()`, with keys of the users' own. Implements EXP-149.

    The form is that of Kestra: a random nonce of 12 bytes before what AES-GCM gives, in base64.

    Args:
        secrets: Where keys are looked for by name.
    """

    def __init__(self, secrets: SecretSource) -> None:
        self._secrets = secrets

    def functions(self) -> Mapping[str, Function]:
        """Return the functions by name."""
        return {"encrypt": reading(self._encrypt), "decrypt": reading(self._decrypt)}

    async def _encrypt(self, caller: Caller, arguments: Mapping[str, Any]) -> str:
        cipher = await self._cipher(caller, text_argument(arguments, "key"))
        return _encrypted(cipher, text_argument(arguments, "value"), None)

    async def _decrypt(self, caller: Caller, arguments: Mapping[str, Any]) -> str:
        cipher = await self._cipher(caller, text_argument(arguments, "key"))
        try:
            data = base64.b64decode(text_argument(arguments, "value"), validate=True)
            return cipher.decrypt(data[:_NONCE], data[_NONCE:], None).decode()
        except (InvalidTag, ValueError):
            raise EncryptionError("the value cannot be decrypted", hint="was it encrypted with this key?") from None

    async def _cipher(self, caller: Caller, key: str) -> AESGCM:
        """Return the cipher of a key, given in base64 or as the name of a secret that holds it so."""
        decoded = _decoded(key)
        if decoded is None:
            held = await self._secrets.find(caller.tenant, caller.namespace, key)
            if held is None:
                raise EncryptionError(
                    "the key is neither 16, 24 or 32 bytes in base64 nor the name of a secret",
                    hint=f"looked for in {self._secrets.where(key)}",
                )
            decoded = _decoded(held)
        if decoded is None:
            raise EncryptionError(f"secret `{key}` is not 16, 24 or 32 bytes in base64", hint=_ADVICE)
        return AESGCM(decoded)


class EncryptionFunctions:
    """Opens encrypted values for expressions, and encrypts outputs; the worker masks what it gets (ENG-186, ENG-209).

    Args:
        encryption: With the server's key; None where there is none.
    """

    def __init__(self, encryption: Encryption | None) -> None:
        self._encryption = encryption

    def functions(self) -> Mapping[str, Function]:
        """Return the functions by name."""
        return {OPENING: reading(self._open), SEALING: reading(self._seal)}

    async def _open(self, caller: Caller, arguments: Mapping[str, Any]) -> str:
        value = text_argument(arguments, "value")
        if "input" not in arguments:
            return self._given().open_output(caller.tenant, value)
        input_id = text_argument(arguments, "input")
        return self._given().open(caller.tenant, caller.namespace, caller.flow_id, input_id, value)

    async def _seal(self, caller: Caller, arguments: Mapping[str, Any]) -> dict[str, str]:
        value = text_argument(arguments, "value")
        if "input" not in arguments:
            return self._given().seal_output(caller.tenant, value)
        input_id = text_argument(arguments, "input")
        return self._given().seal(caller.tenant, caller.namespace, caller.flow_id, input_id, value)

    def _given(self) -> Encryption:
        if self._encryption is None:
            raise EncryptionError(
                "encryption is not configured", hint="set `kestra.encryption.secret-key` in the server's configuration"
            )
        return self._encryption


def _encrypted(cipher: AESGCM, value: str, place: bytes | None) -> str:
    nonce = os.urandom(_NONCE)
    return base64.b64encode(nonce + cipher.encrypt(nonce, value.encode(), place)).decode()


def _decoded(key: str) -> bytes | None:
    try:
        decoded = base64.b64decode(key.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    return decoded if len(decoded) in _KEYS else None


def _place(*names: str) -> bytes:
    return "\0".join(names).encode()
