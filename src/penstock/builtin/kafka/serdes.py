"""How keys and values are written and read: as those who use Kafka's own serializers do."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any, Literal
from uuid import UUID

from penstock.builtin.kafka.registry import SchemaRegistry
from penstock.builtin.messages.payloads import decoded, encoded
from penstock.builtin.messages.sending import MessageError
from penstock.sdk import RunContext

SerdeType = Literal[
    "STRING", "INTEGER", "FLOAT", "DOUBLE", "LONG", "SHORT", "BYTE_ARRAY", "BYTE_BUFFER", "BYTES", "UUID", "VOID",
    "AVRO", "JSON",
]  # fmt: skip
_NUMBERS: Mapping[str, str] = {"INTEGER": ">i", "FLOAT": ">f", "DOUBLE": ">d", "LONG": ">q", "SHORT": ">h"}


Writing = Callable[[Any], bytes | None]
"""Gives the bytes of a key or a value; None for nothing."""
Reading = Callable[[bytes | None], Any]
"""Gives what they stand for."""


def writing(serde: SerdeType, registry: SchemaRegistry, subject: str, schema: str | None) -> Writing:
    """Return how values are written.

    Args:
        serde: In which form.
        registry: Where schemas are kept, for AVRO.
        subject: Under which name it keeps this one's.
        schema: The Avro schema.
    """
    if serde == "AVRO":
        return registry.writing(subject, schema)

    def write(value: Any) -> bytes | None:
        if value is None or serde == "VOID":
            return None
        if serde in _NUMBERS:
            return _number(value, serde)
        if serde == "UUID":
            return _uuid(value)
        return encoded(value, serde if serde in ("STRING", "JSON") else "BYTES")

    return write


def reading(context: RunContext, serde: SerdeType, registry: SchemaRegistry) -> Reading:
    """Return how values are read. One that is not of its form is handed on: it must not hold up those behind it."""

    def read(content: bytes | None) -> Any:
        if content is None or serde == "VOID":
            return None
        try:
            if serde == "AVRO":
                return registry.read(content)
            if serde in _NUMBERS:
                return struct.unpack(_NUMBERS[serde], content)[0]
        except (struct.error, ValueError, EOFError, IndexError):
            context.logger.warning(f"a key or value is no {serde}; it is handed on as Base64")
            return decoded(context, content, "BYTES")
        if serde == "JSON":
            return decoded(context, content, "JSON")
        return decoded(context, content, "STRING" if serde in ("STRING", "UUID") else "BYTES")

    return read


def _number(value: Any, serde: str) -> bytes:
    kind = float if serde in ("FLOAT", "DOUBLE") else int
    try:
        return struct.pack(_NUMBERS[serde], kind(value))
    except (struct.error, ValueError, TypeError, OverflowError):
        raise MessageError(f"a key or value is no {serde}", hint="choose another serializer") from None


def _uuid(value: Any) -> bytes:
    try:
        return str(UUID(str(value))).encode()
    except ValueError:
        raise MessageError("a key or value is no UUID", hint="choose another serializer") from None
