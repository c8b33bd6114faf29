"""A NATS operator with one account and one user, who is known by a signed text alone."""

from __future__ import annotations

import base64
import binascii
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

OPERATOR, ACCOUNT, USER, SEED = 14 << 3, 0, 20 << 3, 18 << 3
"""Marks of what a key is for."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A key, written as NATS writes them."""

    kind: int
    key: Ed25519PrivateKey

    @property
    def public_key(self) -> str:
        """What others know it by."""
        return _written(bytes([self.kind]) + self.key.public_key().public_bytes_raw())

    @property
    def seed(self) -> str:
        """What its owner keeps."""
        kind = bytes([SEED | self.kind >> 5, (self.kind & 31) << 3])
        return _written(kind + self.key.private_bytes_raw())


@dataclass(frozen=True, slots=True)
class Operator:
    """What the server is told, and what the user shows."""

    configuration: str
    credentials: str


def operator_in(folder: Path) -> Operator:
    """Make one."""
    operator, account, user = (Pair(kind, Ed25519PrivateKey.generate()) for kind in (OPERATOR, ACCOUNT, USER))
    limits = {"subs": -1, "data": -1, "payload": -1}
    account_limits = {**limits, "conn": -1, "leaf": -1, "imports": -1, "exports": -1, "wildcards": True}
    trusted = _signed(operator, operator, {"type": "operator"})
    known = _signed(operator, account, {"type": "account", "limits": account_limits})
    shown = _signed(account, user, {"type": "user", **limits})
    name = account.public_key
    configuration = f"operator: {trusted}\nresolver: MEMORY\nresolver_preload: {{ {name}: {known} }}\n"
    return Operator(
        configuration,
        f"-----BEGIN NATS USER JWT-----\n{shown}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{user.seed}\n------END USER NKEY SEED------\n",
    )


def _written(raw: bytes) -> str:
    checksum = binascii.crc_hqx(raw, 0).to_bytes(2, "little")
    return base64.b32encode(raw + checksum).rstrip(b"=").decode()


def _signed(issuer: Pair, subject: Pair, more: dict[str, Any]) -> str:
    claims = {
        "jti": subject.public_key,
        "iat": int(time.time()),
        "iss": issuer.public_key,
        "sub": subject.public_key,
        "name": more["type"],
        "nats": {"version": 2, **more},
    }
    header = {"typ": "JWT", "alg": "ed25519-nkey"}
    text = ".".join(_base64(json.dumps(one).encode()) for one in (header, claims))
    return f"{text}.{_base64(issuer.key.sign(text.encode()))}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
