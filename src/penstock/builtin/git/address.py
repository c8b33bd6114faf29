"""Where a repository is, and who asks for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

_WEB = ("http", "https")


@dataclass(frozen=True, slots=True)
class Address:
    """The URL of a repository, without credentials, and the credentials."""

    url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    private_key: str | None = field(default=None, repr=False)
    passphrase: str | None = field(default=None, repr=False)

    @property
    def secrets(self) -> list[str]:
        """What nobody may read in logs."""
        return [secret for secret in (self.password, self.private_key, self.passphrase) if secret]

    @property
    def server(self) -> str | None:
        """The server that may be told user and password, such as `https://example.com`; None without HTTP."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}" if parts.scheme in _WEB else None

    def commit_url(self, commit: str) -> str | None:
        """Return the page of a commit, where the server has pages as most have."""
        return f"{self.url.rstrip('/').removesuffix('.git')}/commit/{commit}" if self.server else None


def address_of(
    url: str,
    username: str | None = None,
    password: str | None = None,
    private_key: str | None = None,
    passphrase: str | None = None,
) -> Address:
    """Return an address; user and password written into a URL of HTTP are taken out of it."""
    url = url.strip()
    parts = urlsplit(url)
    if parts.scheme in _WEB and "@" in parts.netloc:
        who, _, server = parts.netloc.rpartition("@")
        name, _, secret = who.partition(":")
        username, password = username or unquote(name) or None, password or unquote(secret) or None
        url = parts._replace(netloc=server).geturl()
    return Address(url, username, password.strip() if password else None, private_key, passphrase)
