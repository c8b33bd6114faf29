"""What a message carries: text, JSON or bytes."""

from __future__ import annotations

import base64
import json
from typing import Any, Literal

from penstock.builtin.serdes.files import bytes_of
from penstock.builtin.serdes.json_text import compact
from penstock.sdk import RunContext, json_text

TextSerde = Literal["STRING", "JSON"]
Serde = Literal["STRING", "JSON", "BYTES"]


def encoded(value: Any, serde: Serde) -> bytes:
    """Return a value as bytes to send: with BYTES those that a text in Base64 stands for."""
    if serde == "JSON":
        return compact(value).encode()
    if serde == "BYTES":
        return bytes_of(value)
    return json_text(value).encode()


def decoded(context: RunContext, content: bytes | str, serde: Serde) -> Any:
    """Return what a message carries: with BYTES as a text in Base64.

    One that is no JSON stays text: it must not hold up those behind it.
    """
    if serde == "BYTES":
        return base64.b64encode(content.encode() if isinstance(content, str) else content).decode()
    text = content if isinstance(content, str) else content.decode(errors="replace")
    if serde == "STRING":
        return text
    try:
        return json.loads(text)
    except ValueError:
        context.logger.warning("a message is no JSON; it is handed on as text")
        return text
