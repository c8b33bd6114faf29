"""Mails to real servers."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from penstock.builtin.email.sending import MailError, MailExecution, MailSend
from penstock.testing.run_context import RunContextFactory
from tests.support.mail import PASSWORD, USER, post_office_in

LETTER = {"id": "send", "type": MailSend.type_name, "host": "127.0.0.1", "to": "ada@example.com", "subject": "Hällo"}
LOGIN = {"username": USER, "password": PASSWORD}


def read(content: bytes | str | None) -> EmailMessage:
    assert isinstance(content, bytes)
    return message_from_bytes(content, _class=EmailMessage, policy=default)


def send(contexts: RunContextFactory, **properties: Any) -> None:
    MailSend.model_validate({**LETTER, **LOGIN, **properties}).run(contexts.of())


def test_mail_with_everything_reaches_all_it_is_for(contexts: RunContextFactory, tmp_path: Path) -> None:
    context = contexts.of()
    uri = context.put_bytes(b"a,b\n", "rows.csv")
    image = context.put_bytes(b"\x89PNG", "chart.png")
    task = MailSend.model_validate({
        **LETTER, **LOGIN,
        "from": "Robot <robot@example.com>",
        "to": ["ada@example.com", "bob@example.com"],
        "cc": "eve@example.com, Max <max@example.com>",
        "bcc": "spy@example.com",
        "replyTo": "help@example.com",
        "transportStrategy": "SMTP",
        "plainTextContent": "plain",
        "htmlTextContent": "<p>rich <img src='cid:chart'></p>",
        "attachments": [{"uri": uri, "name": "report.csv", "contentType": "text/csv"}],
        "embeddedImages": [{"uri": image, "name": "chart", "contentType": "image/png"}],
    })  # fmt: skip
    with post_office_in(tmp_path, strategy="SMTP") as (office, port):
        task.model_copy(update={"port": type(task.port).of(port)}).run(context)
    [envelope] = office.letters
    assert envelope.mail_from == "robot@example.com"
    names = ("ada", "bob", "eve", "max", "spy")
    assert sorted(envelope.rcpt_tos) == [f"{name}@example.com" for name in names]
    letter = read(envelope.content)
    assert letter["Subject"] == "Hällo"
    assert (letter["To"], letter["Reply-To"]) == ("ada@example.com, bob@example.com", "help@example.com")
    assert letter["Bcc"] is None
    plain, rich = letter.get_body(("plain",)), letter.get_body(("html",))
    assert plain is not None
    assert rich is not None
    assert (plain.get_content().strip(), "rich" in rich.get_content()) == ("plain", True)
    kinds = {part.get_filename(): (part.get_content_type(), part.get_payload(decode=True)) for part in letter.walk()}
    assert kinds["report.csv"] == ("text/csv", b"a,b\n")
    assert kinds["chart"] == ("image/png", b"\x89PNG")


@pytest.mark.parametrize("strategy", ["SMTPS", "SMTP_TLS"])
def test_mail_is_encrypted_for_a_server_that_is_trusted(
    contexts: RunContextFactory, tmp_path: Path, strategy: str
) -> None:
    with post_office_in(tmp_path, strategy=strategy) as (office, port):
        at = {"port": port, "transportStrategy": strategy, "htmlTextContent": "<p>secret</p>"}
        send(contexts, **at, verifyServerIdentity=False)
        with pytest.raises(MailError, match="CERTIFICATE_VERIFY_FAILED"):
            send(contexts, **at)
    [envelope] = office.letters
    assert envelope.mail_from == USER
    assert read(envelope.content).get_content().strip() == "<p>secret</p>"


def test_mail_that_cannot_be_sent_says_why(contexts: RunContextFactory, tmp_path: Path) -> None:
    with post_office_in(tmp_path, strategy="SMTP") as (office, port):
        at = {"port": port, "transportStrategy": "SMTP"}
        for properties, said in (
            ({"password": "no-such-word"}, "let us in"),
            ({"to": "nobody@example.com"}, "none of nobody@example.com"),
            ({"to": "ada@example.com, nobody@example.com"}, "not for nobody@example.com"),
            ({"to": "a@example.com\nBcc: b@example.com"}, "cannot be addressed"),
            ({"username": None}, "who sends"),
            ({"port": 1}, "cannot be sent"),
        ):
            with pytest.raises(MailError, match=said) as caught:
                send(contexts, **{**at, **properties})
            assert caught.value.hint
            assert "no-such-word" not in str(caught.value)
    assert [one.rcpt_tos for one in office.letters] == [["ada@example.com"]]


def test_mail_about_an_execution_tells_what_came_of_it(tmp_path: Path) -> None:
    """OPS-155."""
    found = {"id": "e1", "namespace": "team", "flowId": "flow", "state": "FAILED", "startDate": "2030-01-31T08:00:00Z",
             "duration": "PT1S", "failedTasks": ["a<b"], "error": None}  # fmt: skip
    with RunContextFactory({"executionReport": lambda **_: found}) as contexts:
        context = contexts.of({"kestra": {"url": "https://flows.example.com"}})
        with post_office_in(tmp_path, strategy="SMTP") as (office, port):
            properties = {**LETTER, **LOGIN, "type": MailExecution.type_name, "port": port, "transportStrategy": "SMTP"}
            MailExecution.model_validate({**properties, "subject": None}).run(context)
    letter = read(office.letters[0].content)
    assert letter["Subject"] == "team.flow: execution e1 is FAILED"
    plain, rich = letter.get_body(("plain",)), letter.get_body(("html",))
    assert plain is not None
    assert rich is not None
    assert "Failed tasks: a<b" in plain.get_content()
    assert "a&lt;b" in rich.get_content()
    assert "https://flows.example.com/ui/executions/team/flow/e1" in plain.get_content()
