"""What a server and the process of a plugin tell each other: one JSON object a line, over the process's pipes."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from penstock.base.codec import to_json


class Message(msgspec.Struct, frozen=True, tag_field="is"):
    """Base of all messages."""


class Start(Message, frozen=True, tag="start"):
    """To the plugin: do this. Nothing else is asked for before its end."""

    action: Literal["run", "poll", "listen"]
    type: str
    definition: dict[str, Any]


class Answer(Message, frozen=True, tag="answer"):
    """To the plugin: what it asked for, or why it cannot be had."""

    number: int
    value: Any = None
    error: str | None = None
    is_permanent: bool = False


class End(Message, frozen=True, tag="end"):
    """To the plugin: the work is not wanted any more."""


class Settle(Message, frozen=True, tag="settle"):
    """To the plugin: what is to become of the event it gave."""

    action: Literal["acknowledge", "release"]


class Ask(Message, frozen=True, tag="ask"):
    """From the plugin: something of the run context."""

    number: int
    name: str
    arguments: dict[str, Any] = {}


class Tell(Message, frozen=True, tag="tell"):
    """From the plugin: something to which there is no answer, such as a log line."""

    name: str
    arguments: dict[str, Any] = {}


class Event(Message, frozen=True, tag="event"):
    """From the plugin: a trigger has found something."""

    variables: dict[str, Any]
    key: str | None = None


class Settled(Message, frozen=True, tag="settled"):
    """From the plugin: the event is done with, unless that went wrong."""

    error: str | None = None


class Done(Message, frozen=True, tag="done"):
    """From the plugin: the work has come to its end."""

    outputs: dict[str, Any] | None = None


class Failed(Message, frozen=True, tag="failed"):
    """From the plugin: the work has failed."""

    message: str
    detail: str | None = None
    is_permanent: bool = False


Order = Start | Answer | End | Settle
Word = Ask | Tell | Event | Settled | Done | Failed
_ORDERS: msgspec.json.Decoder[Order] = msgspec.json.Decoder(Order)
_WORDS: msgspec.json.Decoder[Word] = msgspec.json.Decoder(Word)


def line_of(message: Message) -> bytes:
    """Return a message as a line."""
    return to_json(message) + b"\n"


def order_in(line: bytes) -> Order:
    """Return what a server says; raises ValueError when it is nothing that a server says."""
    return _ORDERS.decode(line)


def word_in(line: bytes) -> Word:
    """Return what a plugin says; raises ValueError when it is nothing that a plugin says."""
    return _WORDS.decode(line)
