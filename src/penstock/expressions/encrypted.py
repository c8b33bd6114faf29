"""The form in which secret values are kept: encrypted, and opened only where an expression names them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

ENCRYPTED_TYPE: Final = "io.kestra.datatype:aes_encrypted"
OPENING: Final = "decryptInput"
"""The outside function that opens such a value; arguments `value`, and for an input its id as `input`."""
SEALING: Final = "sealOutput"
"""The outside function that returns the argument `value` in that form, for outputs; for an input, its id as `input`."""

HIDDEN: Final = "******"
"""What is shown of such a value to whoever looks at all there is."""


def sealed(value: str) -> dict[str, str]:
    """Return an encrypted text in the form it is kept in."""
    return {"type": ENCRYPTED_TYPE, "value": value}


def is_sealed(value: Any) -> bool:
    """Return whether a value is in that form."""
    return isinstance(value, dict) and len(value) == 2 and value.get("type") == ENCRYPTED_TYPE and "value" in value


def hidden(value: Any) -> Any:
    """Return a value with whatever in it is in that form shown as hidden."""
    if is_sealed(value):
        return HIDDEN
    if isinstance(value, Mapping):
        return {name: hidden(inner) for name, inner in value.items()}
    return [hidden(inner) for inner in value] if isinstance(value, list) else value
