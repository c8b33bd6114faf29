"""Form fields of an HTTP request, with files among them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, Any

from penstock.sdk import RunContext, file_name, json_text

_STORED = ("kestra://", "nsfile://", "file://")
Part = tuple[str | None, str | IO[bytes]] | tuple[str | None, str | IO[bytes], str]


@dataclass(frozen=True, slots=True)
class Form:
    """What is sent: fields of a URL-encoded form, or parts of a multipart one."""

    data: Mapping[str, list[str]] | None
    files: list[tuple[str, Part]]


@contextmanager
def form_of(context: RunContext, fields: Mapping[str, Any], is_multipart: bool) -> Iterator[Form | None]:
    """Return the form of some fields; None when there are none. Its files are open within the block."""
    if not fields:
        yield None
        return
    pairs = [(name, one) for name, value in fields.items() for one in (value if isinstance(value, list) else [value])]
    if not is_multipart:
        data: dict[str, list[str]] = {}
        for name, value in pairs:
            data.setdefault(name, []).append(json_text(value))
        yield Form(data, [])
        return
    with ExitStack() as stack:
        yield Form(None, [(name, _part(context, value, stack, number)) for number, (name, value) in enumerate(pairs)])


def _part(context: RunContext, value: Any, stack: ExitStack, number: int) -> Part:
    if isinstance(value, Mapping) and "content" in value:
        content = json_text(value["content"])
        name = json_text(value.get("name") or file_name(content))
        kind = value.get("contentType")
        opened = _content(context, content, stack, number)
        return (name, opened) if kind is None else (name, opened, json_text(kind))
    text = json_text(value)
    if text.startswith(_STORED):
        return file_name(text), _content(context, text, stack, number)
    return None, text


def _content(context: RunContext, content: str, stack: ExitStack, number: int) -> str | IO[bytes]:
    if not content.startswith(_STORED):
        return content
    local = context.resolve(f".penstock/form/{number}")
    context.get_file(content, local)
    return stack.enter_context(local.open("rb"))
