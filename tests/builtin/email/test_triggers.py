"""Mails that come, in real mailboxes."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest

from penstock.builtin.email.sending import MailError
from penstock.builtin.email.triggers import LetterTrigger, MailReceivedTrigger
from penstock.sdk import TriggerEvent
from penstock.testing.run_context import RunContextFactory
from tests.builtin.polling.conftest import Polled
from tests.support.mail import PASSWORD, Dovecot
from tests.support.waiting import PATIENCE


class Reader:
    """Somebody with a mailbox, which triggers look at."""

    def __init__(self, server: Dovecot, contexts: RunContextFactory, protocol: str) -> None:
        self.user = f"u{uuid.uuid4().hex}@example.com"
        port = server.imap_port if protocol == "IMAP" else server.pop3_port
        self.at = {"protocol": protocol, "host": "127.0.0.1", "port": port, "ssl": False, "interval": "PT0.05S",
                   "username": self.user, "password": PASSWORD}  # fmt: skip
        self.contexts = contexts
        self._server = server
        self._count = 0

    def put(self, content: bytes) -> None:
        self._count += 1
        self._server.put(self.user, f"{self._count:04}.test", content)

    def letter(self, subject: str) -> None:
        letter = EmailMessage()
        letter["Subject"], letter["From"], letter["To"] = subject, "Ada <ada@example.com>", self.user
        letter["Date"], letter["Message-ID"] = "Thu, 31 Jan 2030 08:00:00 +0000", f"<{subject}@example.com>"
        letter.set_content(f"text of {subject}")
        self.put(letter.as_bytes())

    def made(self, cls: Any, **more: Any) -> Any:
        return cls.model_validate({"id": "watch", "type": cls.type_name, **self.at, **more})

    def context(self) -> Any:
        return self.contexts.of({"flow": {"namespace": "team", "id": "flow"}, "trigger": {"id": "watch"}})

    def poll(self, **more: Any) -> TriggerEvent | None:
        properties = {"interval": "PT1S", **more}
        event: TriggerEvent | None = self.made(MailReceivedTrigger, **properties).poll(self.context())
        return event


@pytest.fixture(params=["IMAP", "POP3"])
def reader(request: pytest.FixtureRequest, dovecot: Dovecot) -> Iterator[Reader]:
    pairs: dict[str, Any] = {}

    def store(key: str, value: Any, **_: Any) -> None:
        pairs[key] = value

    with RunContextFactory({"kv": lambda key, **_: pairs.get(key), "kvSet": store}) as contexts:
        yield Reader(dovecot, contexts, request.param)


async def begun(polled: Polled) -> None:
    """Wait until a server's trigger knows where it begins."""
    async with asyncio.timeout(PATIENCE):
        while True:
            pairs = (await polled.live.client.get("/api/v1/main/namespaces/team/kv")).json()
            if [one["key"] for one in pairs] == ["watched_watch_mails"]:
                return
            await asyncio.sleep(0.02)


def subjects(event: TriggerEvent | None) -> list[str]:
    assert event is not None
    return [one["subject"] for one in event.variables["emails"]]


def test_trigger_gives_what_has_come_since_the_first_look(reader: Reader) -> None:
    """ENG-270, ENG-307, ENG-312."""
    reader.letter("old")
    assert reader.poll() is None
    assert reader.poll() is None
    reader.letter("first")
    reader.letter("second")
    lost = reader.poll()
    assert subjects(lost) == ["first", "second"]
    found = reader.poll()
    assert found is not None
    assert lost is not None
    assert found.key == lost.key
    assert found.variables["total"] == 2
    latest = found.variables["latestEmail"]
    assert latest.pop("body").strip() == "text of second"
    assert latest == {
        "subject": "second",
        "from": "Ada <ada@example.com>",
        "to": [reader.user],
        "cc": [],
        "bcc": [],
        "date": datetime(2030, 1, 31, 8, tzinfo=UTC),
        "messageId": "<second@example.com>",
        "attachments": [],
    }
    found.acknowledge()
    assert reader.poll() is None
    reader.letter("third")
    assert subjects(reader.poll()) == ["third"]


def test_trigger_stores_the_files_of_a_mail(reader: Reader) -> None:
    """ENG-312."""
    assert reader.poll() is None
    letter = EmailMessage()
    letter["Subject"] = "files"
    letter.set_content("<p>rich</p>", subtype="html")
    letter.add_attachment(b"\x00\xff", "application", "x-thing", filename="../../thing.bin")
    letter.add_attachment(b"2", "application", "x-thing", filename="thing.bin")
    reader.put(letter.as_bytes())
    found = reader.poll()
    assert found is not None
    email = found.variables["latestEmail"]
    assert email["body"].strip() == "<p>rich</p>"
    assert "from" not in email
    first, second = email["attachments"]
    stored = reader.contexts.gateway.files
    assert (stored[first.pop("uri")], stored[second["uri"]]) == (b"\x00\xff", b"2")
    assert first == {"filename": "thing.bin", "contentType": "application/x-thing", "size": 2}


def test_trigger_mail_as_nobody_should_write_it_is_read_all_the_same(reader: Reader) -> None:
    """ENG-312."""
    assert reader.poll() is None
    reader.put(b"Subject: =?no-such-set?Q?x?=\r\nTo: not an address\r\nDate: soon\r\n"
               b"Content-Type: text/plain; charset=no-such-set\r\n\r\nh\xe4llo\r\n")  # fmt: skip
    reader.put(b"\r\n")
    found = reader.poll()
    assert found is not None
    first, second = found.variables["emails"]
    assert first["body"].startswith("h\ufffdllo")
    assert "date" not in first
    assert second["attachments"] == []


def test_realtime_trigger_gives_each_mail_as_it_comes(reader: Reader) -> None:
    """ENG-311, ENG-312."""
    assert reader.poll() is None
    reader.letter("first")
    lost = reader.made(LetterTrigger).listen(reader.context(), threading.Event())
    assert next(lost).variables["subject"] == "first"
    lost.close()
    stop = threading.Event()
    listening = reader.made(LetterTrigger).listen(reader.context(), stop)
    event = next(listening)
    assert event.variables["subject"] == "first"
    event.acknowledge()
    later = threading.Timer(0.1, reader.letter, ["second"])
    later.start()
    event = next(listening)
    assert event.variables["subject"] == "second"
    event.acknowledge()
    later.join()
    stop.set()
    assert list(listening) == []
    assert reader.poll() is None


def test_mailbox_wrong_properties_says_what_is_wrong(reader: Reader) -> None:
    for properties, said in (
        ({"password": "no-such-word"}, "refuses"),
        ({"port": 1}, "cannot be reached"),
        ({"ssl": True}, "cannot be reached"),
        *([({"mailFolder": "none"}, "refuses")] if reader.at["protocol"] == "IMAP" else []),
    ):
        with pytest.raises(MailError, match=said) as caught:
            reader.poll(**properties)
        assert caught.value.hint
        assert "no-such-word" not in str(caught.value)


@pytest.mark.parametrize("reader", ["IMAP"], indirect=True)
def test_mailbox_certificate_of_another_host_is_believed_only_when_told(reader: Reader, dovecot: Dovecot) -> None:
    encrypted = {"ssl": True, "port": dovecot.imaps_port}
    with pytest.raises(MailError, match="CERTIFICATE_VERIFY_FAILED"):
        reader.poll(**encrypted)
    assert reader.poll(**encrypted, trustAllCertificates=True) is None


@pytest.mark.parametrize("reader", ["IMAP"], indirect=True)
def test_trigger_folder_made_anew_begins_after_what_is_there(reader: Reader, dovecot: Dovecot) -> None:
    """ENG-312."""
    assert reader.poll() is None
    (dovecot.mails / reader.user / "dovecot-uidlist").write_text("3 V77 N5 G0\n")
    for name in ("dovecot.index", "dovecot.index.log", "dovecot.index.cache"):
        (dovecot.mails / reader.user / name).unlink(missing_ok=True)
    reader.letter("passed over")
    assert reader.poll() is None
    reader.letter("seen")
    assert subjects(reader.poll()) == ["seen"]


@pytest.mark.parametrize("reader", ["IMAP"], indirect=True)
async def test_realtime_trigger_of_a_server_starts_an_execution_for_each_mail(polled: Polled, reader: Reader) -> None:
    """ENG-311, ENG-312."""
    at = ", ".join(f"{name}: '{value}'" for name, value in reader.at.items() if name not in ("ssl", "interval"))
    await polled.flow(f"type: io.kestra.plugin.email.RealtimeTrigger, ssl: false, {at}")
    await begun(polled)
    reader.letter("a")
    reader.letter("b")
    found = await polled.executions(2)
    assert [one.trigger.variables["subject"] for one in found if one.trigger] == ["a", "b"]
