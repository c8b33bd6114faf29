"""Folders of letters on a server, by IMAP and by POP3: what has come since one was there last.

A place says how far one has come in a folder. It is plain data, which the caller keeps.
"""

from __future__ import annotations

import poplib
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from ssl import SSLContext
from typing import Any, Literal, Protocol

from pydantic import Field

from penstock.builtin.email.sending import MailError, trusting
from penstock.builtin.serdes.files import library
from penstock.sdk import PluginModel, Property, RunContext

Place = Mapping[str, Any]
_SECONDS, _LOOK = 30.0, 1.0
_IDLE = 600.0
"""Seconds after which a server is told again that one waits: it gives up those it hears nothing of for half an hour."""
_PORTS = {("IMAP", True): 993, ("IMAP", False): 143, ("POP3", True): 995, ("POP3", False): 110}


class Mailbox(Protocol):
    """An open folder."""

    def begin(self, known: Place | None) -> Place:
        """Return the place to go on from: the one known, while the folder knows it, too; else after all there is."""
        ...

    def fresh(self, place: Place) -> Sequence[str]:
        """Return the names of letters behind a place, oldest first."""
        ...

    def content(self, name: str) -> bytes:
        """Return a letter; the server does not count it as read."""
        ...

    def after(self, place: Place, name: str) -> Place:
        """Return the place behind a letter that is behind a place."""
        ...

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Wait until something may have come, or one is to stop; False when that can be seen in a new session alone.

        Args:
            stop: Says that one is to stop.
            seconds: How long to wait where the server tells of nothing by itself.
        """
        ...


class MailAccount(PluginModel):
    """Properties that say whose letters they are, and where."""

    protocol: Property[Literal["IMAP", "POP3"]] = Field(Property.of("IMAP"), description="How the server is spoken to.")
    host: Property[str] = Field(description="The server.")
    port: Property[int] | None = Field(
        None, description="Its port: 993 for IMAP and 995 for POP3 by default, without encryption 143 and 110."
    )
    username: Property[str] = Field(description="The user.")
    password: Property[str] = Field(description="The user's password.")
    mail_folder: Property[str] = Field(Property.of("INBOX"), description="The folder, for IMAP.")
    ssl: Property[bool] = Field(Property.of(True), description="Whether the connection is encrypted.")
    trust_all_certificates: Property[bool] = Field(
        Property.of(False), description="Take any certificate. Whoever is on the way can then read along."
    )

    @contextmanager
    def mailbox(self, context: RunContext) -> Iterator[Mailbox]:
        """Give the folder.

        Raises:
            MailError: The server does not answer, or does not let us in.
        """
        protocol, is_encrypted = context.render(self.protocol), context.render(self.ssl)
        host, port = context.render(self.host), context.render(self.port) or _PORTS[protocol, is_encrypted]
        trust = trusting(is_strict=not context.render(self.trust_all_certificates)) if is_encrypted else None
        with _translated():
            box = (
                _Imap(host, port, trust, context.render(self.mail_folder))
                if protocol == "IMAP"
                else _Pop(host, port, trust)
            )
            try:
                box.open(context.render(self.username), context.render(self.password))
                yield box
            finally:
                box.close()


class _Imap:
    """A folder that numbers its letters, for as long as its number of validity stays the same."""

    def __init__(self, host: str, port: int, trust: SSLContext | None, folder: str) -> None:
        made = library("imapclient", "email").IMAPClient
        self._client: Any = made(host, port, ssl=trust is not None, ssl_context=trust, timeout=_SECONDS)
        self._folder = folder
        self._validity = self._next = 0

    def open(self, user: str, password: str) -> None:
        """Log in."""
        self._client.login(user, password)
        selected = self._client.select_folder(self._folder, readonly=True)
        self._validity, self._next = int(selected[b"UIDVALIDITY"]), int(selected[b"UIDNEXT"])

    def close(self) -> None:
        """Log out."""
        with suppress(Exception):  # it may be broken, in more ways than the library has names for
            self._client.logout()

    def begin(self, known: Place | None) -> Place:
        """Return the place to go on from: the one known, unless the folder has been made anew."""
        if known is not None and known.get("validity") == self._validity:
            return known
        return {"validity": self._validity, "last": self._next - 1}

    def fresh(self, place: Place) -> Sequence[str]:
        """Return the names of letters behind a place."""
        last = int(place["last"])
        found = self._client.search(["UID", f"{last + 1}:*"])  # which is at least the last one there is
        return [f"{self._validity}:{uid}" for uid in sorted(found) if uid > last]

    def content(self, name: str) -> bytes:
        """Return a letter."""
        uid = int(name.partition(":")[2])
        content: bytes = self._client.fetch([uid], ["BODY.PEEK[]"])[uid][b"BODY[]"]
        return content

    def after(self, place: Place, name: str) -> Place:
        """Return the place behind a letter."""
        return {"validity": self._validity, "last": int(name.partition(":")[2])}

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Wait for the server to tell of something, where it does that."""
        if not self._client.has_capability("IDLE"):
            stop.wait(seconds)
            self._client.noop()
            return True
        if self._client._imap.response("EXISTS")[1] != [None]:  # told along with the answer to something else
            return True
        self._client.idle()
        until, told = time.monotonic() + _IDLE, False
        while not told and not stop.is_set() and time.monotonic() < until:
            told = bool(self._client.idle_check(timeout=_LOOK))
        self._client.idle_done()
        return True


class _Pop:
    """A mailbox whose letters have names that stay. It shows what has come only to those who come anew."""

    def __init__(self, host: str, port: int, trust: SSLContext | None) -> None:
        self._client = (
            poplib.POP3(host, port, _SECONDS)
            if trust is None
            else poplib.POP3_SSL(host, port, timeout=_SECONDS, context=trust)
        )
        self._numbers: dict[str, int] = {}

    def open(self, user: str, password: str) -> None:
        """Log in."""
        self._client.user(user)
        self._client.pass_(password)
        lines = (line.decode(errors="replace").split(" ", 1) for line in self._client.uidl()[1])
        self._numbers = {name: int(number) for number, name in lines}

    def close(self) -> None:
        """Log out."""
        with suppress(OSError, poplib.error_proto):
            self._client.quit()

    def begin(self, known: Place | None) -> Place:
        """Return the place to go on from."""
        return known if known is not None and "known" in known else {"known": list(self._numbers)}

    def fresh(self, place: Place) -> Sequence[str]:
        """Return the names of letters that are not known."""
        known = set(place["known"])
        return [name for name in self._numbers if name not in known]

    def content(self, name: str) -> bytes:
        """Return a letter."""
        return b"\r\n".join(self._client.retr(self._numbers[name])[1]) + b"\r\n"

    def after(self, place: Place, name: str) -> Place:
        """Return the place behind a letter; letters that are gone are forgotten."""
        return {"known": [one for one in (*place["known"], name) if one in self._numbers]}

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Wait."""
        stop.wait(seconds)
        return False


@contextmanager
def _translated() -> Iterator[None]:
    """Raise what the servers complain of as MailError."""
    try:
        yield
    except poplib.error_proto as error:
        raise MailError(f"the server refuses: {_words(error)}", hint="see `username` and `password`") from None
    except OSError as error:
        raise MailError(f"the server cannot be reached: {error}", hint="see `host`, `port` and `ssl`") from None
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("imaplib", "imapclient"):
            raise
        hint = "see `username`, `password` and `mailFolder`"
        raise MailError(f"the server refuses: {_words(error)}", hint=hint) from None


def _words(error: Exception) -> str:
    first = error.args[0] if error.args else error
    return first.decode(errors="replace") if isinstance(first, bytes) else str(first)
