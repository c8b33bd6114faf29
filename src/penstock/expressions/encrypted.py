"""The form in which secret values are kept: encrypted, and opened only where an expression names them."""

from __future__ import annotations

from typing import Any, Final

ENCRYPTED_TYPE: Final = "io.kestra.datatype:aes_encrypted"
OPENING: Final = "decryptInput"
"""The outside function that opens such a value; arguments `value`, and for an input its id as `input`."""
SEALING: Final = "sealOutput"
"""The outside function that returns the argument `value` in that form, for outputs; for an input, its id as `input`."""


def sealed(value: str) -> dict[str, str]:
    """Return an encrypted text in the form it is kept in."""
    return {"type": ENCRYPTED_TYPE, "value": value}


def is_sealed(value: Any) -> bool:
    """Return whether a value is in that form."""
    return isinstance(value, dict) and len(value) == 2 and value.get("type") == ENCRYPTED_TYPE and "value" in value
