"""`MailSend`, `MailExecution`: a letter given to an SMTP server."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from html import escape
from typing import Literal

from pydantic import Field

from penstock.builtin.notifications.report import Report, Reporting
from penstock.sdk import PluginError, PluginModel, Property, RunContext, Task

Transport = Literal["SMTPS", "SMTP", "SMTP_TLS"]
People = Property[str | list[str]]


class MailError(PluginError):
    """A mail server did not do what it was asked for."""

    code = "MAIL_FAILED"


class Attachment(PluginModel):
    """A file that goes with a letter."""

    uri: Property[str] = Field(description="The file in internal storage.")
    name: Property[str] = Field(description="What it is called in the letter.")
    content_type: Property[str] = Field(Property.of("application/octet-stream"), description="What it is.")


class MailServer(PluginModel):
    """Properties of what gives a letter to a server."""

    host: Property[str] = Field(description="The SMTP server.")
    port: Property[int] = Field(Property.of(465), description="Its port: mostly 465 for SMTPS, 587 for SMTP_TLS.")
    username: Property[str] | None = Field(None, description="The user.")
    password: Property[str] | None = Field(None, description="The user's password.")
    transport_strategy: Property[Transport] = Field(
        Property.of("SMTPS"),
        description="How it is spoken to: encrypted, in plain text, or encrypted after a plain beginning.",
    )
    verify_server_identity: Property[bool] = Field(
        Property.of(True), description="Whether the server's certificate has to be its own, and a trusted one."
    )
    session_timeout: Property[int] = Field(
        Property.of(10_000), description="The longest time to wait for an answer, in milliseconds."
    )

    def deliver(self, context: RunContext, letter: EmailMessage) -> None:
        """Give a letter to the server.

        Raises:
            MailError: It does not take it, or not for all.
        """
        with self._session(context) as session:
            refused = session.send_message(letter)
        if refused:
            raise MailError(f"the server took it, but not for {', '.join(sorted(refused))}", hint="see the addresses")

    @contextmanager
    def _session(self, context: RunContext) -> Iterator[smtplib.SMTP]:
        """Give an open session; what the server complains of is raised as MailError."""
        host, port, strategy = (
            context.render(self.host),
            context.render(self.port),
            context.render(self.transport_strategy),
        )
        seconds, user = context.render(self.session_timeout) / 1_000, context.render(self.username)
        trust = trusting(is_strict=context.render(self.verify_server_identity))
        try:
            with (
                smtplib.SMTP_SSL(host, port, timeout=seconds, context=trust)
                if strategy == "SMTPS"
                else smtplib.SMTP(host, port, timeout=seconds)
            ) as session:
                if strategy == "SMTP_TLS":
                    session.starttls(context=trust)
                if user:
                    session.login(user, context.render(self.password) or "")
                yield session
        except smtplib.SMTPAuthenticationError:
            raise MailError("the server does not let us in", hint="see `username` and `password`") from None
        except smtplib.SMTPRecipientsRefused as error:
            raise MailError(f"the server takes it for none of {', '.join(error.recipients)}", hint="see them") from None
        except (smtplib.SMTPException, OSError) as error:
            hint = "see `host`, `port` and `transportStrategy`"
            raise MailError(f"the letter cannot be sent: {str(error) or type(error).__name__}", hint=hint) from None


class Letter(MailServer):
    """Properties of a letter."""

    from_: Property[str] | None = Field(None, alias="from", description="Who sends it; `username` by default.")
    to: People = Field(description="To whom: one address, several with commas, or a list.")
    cc: People | None = Field(None, description="Who gets a copy.")
    bcc: People | None = Field(None, description="Who gets a copy of which the others do not know.")
    reply_to: People | None = Field(None, description="To whom answers go.")
    subject: Property[str] | None = Field(None, description="The subject.")
    attachments: Property[list[Attachment]] | None = Field(None, description="Files that go with it.")
    embedded_images: Property[list[Attachment]] | None = Field(
        None, description="Images that its HTML shows, by names like `cid:chart`."
    )

    def written(self, context: RunContext, subject: str, plain: str | None, html: str | None) -> EmailMessage:
        """Return the letter.

        Raises:
            MailError: It is said wrongly to whom it goes.
        """
        letter = EmailMessage(policy=SMTP)
        try:
            self._address(context, letter)
            letter["Subject"] = " ".join((context.render(self.subject) or subject).split())
        except (ValueError, IndexError, MessageError):
            raise MailError(
                "a letter cannot be addressed so", hint="write name@example.com, or Name <name@...>"
            ) from None
        letter["Date"], letter["Message-ID"] = formatdate(), make_msgid(domain="penstock")
        letter.set_content(plain or "")
        if html is not None:
            if plain is None:
                letter.set_content(html, subtype="html")
            else:
                letter.add_alternative(html, subtype="html")
            body = letter.get_body(("html",)) or letter
            for image in context.render(self.embedded_images) or ():
                content, kind, name = _file(context, image)
                body.add_related(content, *kind, cid=f"<{name}>", filename=name, disposition="inline")
        for attachment in context.render(self.attachments) or ():
            content, kind, name = _file(context, attachment)
            letter.add_attachment(content, *kind, filename=name)
        return letter

    def _address(self, context: RunContext, letter: EmailMessage) -> None:
        sender = context.render(self.from_) or context.render(self.username)
        if not sender:
            raise MailError("it is not said who sends the letter", hint="set `from`")
        letter["From"], letter["To"] = sender, _people(context.render(self.to))
        for name, given in (("Cc", self.cc), ("Bcc", self.bcc), ("Reply-To", self.reply_to)):
            people = _people(context.render(given) or "")
            if people:
                letter[name] = people


class MailSend(Letter, Task):
    """Send a mail.

    ```yaml
    - id: report
      type: io.kestra.plugin.email.MailSend
      host: mail.example.com
      username: robot@example.com
      password: "{{ secret('MAIL_PASSWORD') }}"
      to: ada@example.com
      subject: "Report of {{ execution.startDate | date('yyyy-MM-dd') }}"
      htmlTextContent: "<p>All is <b>well</b>.</p>"
      attachments:
        - name: report.csv
          contentType: text/csv
          uri: "{{ outputs.make.uri }}"
    ```
    """

    type_name = "io.kestra.plugin.email.MailSend"
    type_aliases = ("io.kestra.plugin.notifications.mail.MailSend",)

    plain_text_content: Property[str] | None = Field(None, description="What it says, as text.")
    html_text_content: Property[str] | None = Field(None, description="What it says, as HTML.")

    def run(self, context: RunContext) -> None:
        """Send it."""
        plain, html = context.render(self.plain_text_content), context.render(self.html_text_content)
        self.deliver(context, self.written(context, "", plain, html))


class MailExecution(Letter, Reporting, Task):
    """Tell by mail what came of an execution, with a link to its page.

    ```yaml
    - id: alert
      type: io.kestra.plugin.email.MailExecution
      host: mail.example.com
      username: robot@example.com
      password: "{{ secret('MAIL_PASSWORD') }}"
      to: ada@example.com
      executionId: "{{ trigger.executionId }}"
    ```
    """

    type_name = "io.kestra.plugin.email.MailExecution"
    type_aliases = ("io.kestra.plugin.notifications.mail.MailExecution",)

    def run(self, context: RunContext) -> None:
        """Send it."""
        report = self.report(context)
        self.deliver(context, self.written(context, report.title, _plain(report), _html(report)))


def trusting(*, is_strict: bool) -> ssl.SSLContext:
    """Return what looks at certificates."""
    found = ssl.create_default_context()
    if not is_strict:
        found.check_hostname = False
        found.verify_mode = ssl.CERT_NONE
    return found


def _plain(report: Report) -> str:
    facts = "\n".join(f"{name}: {value}" for name, value in report.facts.items())
    return "\n\n".join(filter(None, (report.title, facts, report.link))) + "\n"


def _html(report: Report) -> str:
    rows = "".join(
        f"<tr><th align='left'>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in report.facts.items()
    )
    link = f"<p><a href='{escape(report.link)}'>Open the execution</a></p>" if report.link else ""
    return f"<h3 style='color:{report.color}'>{escape(report.title)}</h3><table>{rows}</table>{link}"


def _people(given: str | list[str]) -> str:
    return given if isinstance(given, str) else ", ".join(given)


def _file(context: RunContext, given: Attachment) -> tuple[bytes, tuple[str, str], str]:
    """Return a file's content, its kind in two parts, and its name."""
    content = b"".join(context.stream_file(context.render(given.uri)))
    kind, _, more = context.render(given.content_type).partition("/")
    return content, (kind, more or "octet-stream"), context.render(given.name)
