"""A NATS operator with one account and one user, who is known by a signed text alone."""

from __future__ import annotations

import base64
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nkeys  # type: ignore[import-untyped]


@dataclass(frozen=True, slots=True)
class Operator:
    """What the server is told, and what the user shows."""

    configuration: str
    credentials: str


def operator_in(folder: Path) -> Operator:
    """Make one."""
    kinds = (nkeys.PREFIX_BYTE_OPERATOR, nkeys.PREFIX_BYTE_ACCOUNT, nkeys.PREFIX_BYTE_USER)
    operator, account, user = map(_pair, kinds)
    limits = {"subs": -1, "data": -1, "payload": -1}
    account_limits = {**limits, "conn": -1, "leaf": -1, "imports": -1, "exports": -1, "wildcards": True}
    trusted = _signed(operator, operator, {"type": "operator"})
    known = _signed(operator, account, {"type": "account", "limits": account_limits})
    shown = _signed(account, user, {"type": "user", **limits})
    name = account.public_key.decode()
    configuration = f"operator: {trusted}\nresolver: MEMORY\nresolver_preload: {{ {name}: {known} }}\n"
    return Operator(
        configuration,
        f"-----BEGIN NATS USER JWT-----\n{shown}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{user.seed.decode()}\n------END USER NKEY SEED------\n",
    )


def _pair(kind: int) -> Any:
    return nkeys.from_seed(nkeys.encode_seed(os.urandom(32), kind))


def _signed(issuer: Any, subject: Any, more: dict[str, Any]) -> str:
    claims = {
        "jti": subject.public_key.decode(),
        "iat": int(time.time()),
        "iss": issuer.public_key.decode(),
        "sub": subject.public_key.decode(),
        "name": more["type"],
        "nats": {"version": 2, **more},
    }
    header = {"typ": "JWT", "alg": "ed25519-nkey"}
    text = ".".join(_base64(json.dumps(one).encode()) for one in (header, claims))
    return f"{text}.{_base64(issuer.sign(text.encode()))}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
