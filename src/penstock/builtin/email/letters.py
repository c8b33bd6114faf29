"""What a flow reads of a letter."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage, MIMEPart
from email.policy import default
from email.utils import parsedate_to_datetime
from pathlib import PurePosixPath
from typing import Any

from penstock.sdk import RunContext


def letter_fields(context: RunContext, content: bytes, name: str) -> dict[str, Any]:
    """Return the fields of a letter; files that came with it are stored.

    Args:
        context: Of the trigger.
        content: The letter.
        name: Tells it from all others.
    """
    letter = message_from_bytes(content, _class=EmailMessage, policy=default)
    folder = hashlib.sha256(name.encode()).hexdigest()[:16]
    fields = {
        "subject": _header(letter, "subject"),
        "from": _header(letter, "from"),
        "to": _people(letter, "to"),
        "cc": _people(letter, "cc"),
        "bcc": _people(letter, "bcc"),
        "body": _body(letter),
        "date": _date(letter),
        "messageId": _header(letter, "message-id"),
        "attachments": [
            {**known, "size": len(data), "uri": context.put_bytes(data, f"{folder}/{number}-{known['filename']}")}
            for number, (known, data) in enumerate(_files(letter))
        ],
    }
    return {name: value for name, value in fields.items() if value is not None}


def _header(letter: EmailMessage, name: str) -> str | None:
    value = letter.get(name)
    return None if value is None else str(value)


def _people(letter: EmailMessage, name: str) -> list[str]:
    return [str(one) for header in letter.get_all(name, ()) for one in header.addresses]


def _date(letter: EmailMessage) -> datetime | None:
    try:
        return parsedate_to_datetime(str(letter["date"]))
    except ValueError:  # there is none, or it is written as nobody else does
        return None


def _body(letter: EmailMessage) -> str:
    part = letter.get_body(("plain", "html"))
    return "" if part is None else _text(part)


def _text(part: MIMEPart) -> str:
    try:
        return str(part.get_content())
    except (LookupError, ValueError):  # a character set, or an encoding, that nobody knows
        return _bytes(part).decode(errors="replace")


def _bytes(part: MIMEPart) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else part.as_bytes()


def _files(letter: EmailMessage) -> Iterator[tuple[dict[str, Any], bytes]]:
    for part in letter.iter_attachments():
        name = PurePosixPath((part.get_filename() or "attachment").replace("\\", "/")).name
        yield {"filename": name or "attachment", "contentType": part.get_content_type()}, _bytes(part)
