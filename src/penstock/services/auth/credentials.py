"""Accounts, what a user name and a password must look like, and passwords nobody has to think up."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from dataclasses import dataclass, field

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+")
_LONGEST = 256
_ALPHABET = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without the characters that look alike."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user name and a password in clear, on their way in."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Account:
    """The account as stored: the password only as its hash."""

    username: str
    password_hash: str


def problems_of(credentials: Credentials) -> list[str]:
    """Return what is wrong with new credentials; nothing for good ones. Implements MIG-060, OPS-077."""
    problems = []
    if not _EMAIL.fullmatch(credentials.username) or len(credentials.username) > _LONGEST:
        problems.append("The username must be a valid e-mail address")
    password = credentials.password
    strong = (
        8 <= len(password) <= _LONGEST
        and any(char.isupper() for char in password)
        and any(char.islower() for char in password)
        and any(char.isdigit() for char in password)
    )
    if not strong:
        problems.append(
            f"The password must have 8 to {_LONGEST} characters, "
            "with an upper-case letter, a lower-case letter and a digit"
        )
    return problems


def generate_password(length: int = 20) -> str:
    """Return a random password that meets the rules."""
    while True:
        password = "".join(secrets.choice(_ALPHABET) for _ in range(length))
        if not problems_of(Credentials("someone@example.com", password)):
            return password


def decode_basic(value: str) -> tuple[str, str] | None:
    """Return (name, password) of base64 `name:password`; None when it is something else."""
    try:
        name, colon, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (name, password) if colon else None
