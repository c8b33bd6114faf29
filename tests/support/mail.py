"""Mail servers of a test run's own: one that takes letters, and one that keeps them in folders."""

from __future__ import annotations

import getpass
import grp
import os
import pwd
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.brokers import running
from tests.support.ports import free_port

USER, PASSWORD = "reader@example.com", "s3cret-word"


@dataclass(frozen=True, slots=True)
class Dovecot:
    """A server of mailboxes: each user has one, which comes to be when it is asked for."""

    imap_port: int
    imaps_port: int
    pop3_port: int
    mails: Path

    def put(self, user: str, name: str, content: bytes) -> None:
        """Put a letter into somebody's inbox, as one who delivers letters does."""
        folder = self.mails / user
        for part in (folder, *(folder / name for name in ("tmp", "new", "cur"))):
            part.mkdir(exist_ok=True)
            part.chmod(0o777)  # where it runs as root, it looks at mails as somebody else
        letter = folder / "tmp" / name
        letter.write_bytes(content)
        letter.chmod(0o666)
        letter.rename(folder / "new" / name)


@contextmanager
def dovecot_in(folder: Path) -> Iterator[Dovecot]:
    """Run a server of mailboxes, all with the same password."""
    imap, imaps, pop3, mails = free_port(), free_port(), free_port(), folder / "mails"
    certificate = certificate_in(folder)
    mails.mkdir()
    mails.chmod(0o777)
    reader, users = _users()
    (folder / "dovecot.conf").write_text(f"""
protocols = imap pop3
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/run
log_path = /dev/stderr
{users}
mail_location = maildir:{mails}/%u
first_valid_uid = 0
first_valid_gid = 0
mailbox_idle_check_interval = 1 secs
disable_plaintext_auth = no
auth_failure_delay = 0
ssl_cert = <{certificate}
ssl_key = <{certificate}
passdb {{
  driver = static
  args = password={PASSWORD}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
userdb {{
  driver = static
  args = uid={reader} gid={reader} home={mails}/%u
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
""")
    with running("dovecot", ["-F", "-c", str(folder / "dovecot.conf")], folder, imap):
        yield Dovecot(imap, imaps, pop3, mails)


def _users() -> tuple[int, str]:
    """Return as whom it looks at mails, and who its parts are. Only root may be more than one."""
    if os.getuid() == 0:
        return pwd.getpwnam("nobody").pw_uid, ""
    me, group = getpass.getuser(), grp.getgrgid(os.getgid()).gr_name
    parts = "".join(f"service {name} {{\n  chroot =\n}}\n" for name in ("anvil", "stats", "imap-login", "pop3-login"))
    users = f"default_internal_user = {me}\ndefault_login_user = {me}\ndefault_internal_group = {group}\n"
    return os.getuid(), users + parts


class PostOffice:
    """Keeps the letters it is given."""

    def __init__(self) -> None:
        self.letters: list[Envelope] = []

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take letters for everybody but one."""
        if address.startswith("nobody@"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """Take a letter."""
        self.letters.append(envelope)
        return "250 OK"


@contextmanager
def post_office_in(folder: Path, *, strategy: str) -> Iterator[tuple[PostOffice, int]]:
    """Run a server that takes letters of one user, spoken to as a strategy says; give it and its port."""
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trust.load_cert_chain(certificate_in(folder))
    office, port = PostOffice(), free_port()
    is_secured_later = strategy == "SMTP_TLS"
    controller = Controller(
        office,
        hostname="127.0.0.1",
        port=port,
        authenticator=_authenticated,
        auth_required=is_secured_later,
        auth_require_tls=is_secured_later,
        require_starttls=is_secured_later,
        tls_context=trust if is_secured_later else None,
        ssl_context=trust if strategy == "SMTPS" else None,
    )
    controller.start()
    try:
        yield office, port
    finally:
        controller.stop()


def certificate_in(folder: Path) -> Path:
    """Return a file with a key and a certificate that nobody trusts."""
    path = folder / "certificate.pem"
    if not path.exists():
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                   "-days", "2", "-subj", "/CN=mail.example.com", "-keyout", "-", "-out", "-"]  # fmt: skip
        path.write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)
    return path


def _authenticated(_server: object, _session: object, _envelope: object, _mechanism: str, data: object) -> AuthResult:
    known = LoginPassword(USER.encode(), PASSWORD.encode())
    return AuthResult(success=data == known, handled=False)
