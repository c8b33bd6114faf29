"""The text of a NATS credentials file: what tells the server who one is, and the key that proves it."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_PART = r"-----BEGIN {0}-----\s*(\S+)\s*------?END {0}------?"
_TOKEN = re.compile(_PART.format("NATS USER JWT"))
_SEED = re.compile(_PART.format("USER NKEY SEED"))
_KEY = slice(2, 34)
"""Where the key is in a seed: after the marks of its kind, before the checksum."""


@dataclass(frozen=True, slots=True)
class UserCredentials:
    """Who one is, and the key."""

    token: str
    key: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def parsed(cls, text: str) -> UserCredentials:
        """Read the text of a credentials file.

        Raises:
            ValueError: It is none.
        """
        token, seed = _TOKEN.search(text), _SEED.search(text)
        if token is None or seed is None:
            raise ValueError("a part is missing")
        raw = base64.b32decode(seed[1] + "=" * (-len(seed[1]) % 8))
        if binascii.crc_hqx(raw[:-2], 0).to_bytes(2, "little") != raw[-2:]:
            raise ValueError("the checksum differs")
        return cls(token[1], Ed25519PrivateKey.from_private_bytes(raw[_KEY]))

    def shown(self) -> bytearray:
        """Return what tells who one is."""
        return bytearray(self.token.encode())

    def signed(self, nonce: str) -> bytes:
        """Return the proof that the server asks for."""
        return base64.b64encode(self.key.sign(nonce.encode()))
