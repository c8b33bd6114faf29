"""Where a database is: an address of JDBC, or one without `jdbc:` before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from penstock.sdk import PluginError

_SECRETS = ("password", "sslpassword", "motherduck_token", "trustStorePassword", "keyStorePassword")


class AddressError(PluginError):
    """The address of a database cannot be read."""

    code = "DATABASE_ADDRESS_INVALID"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is, which of its databases is meant, and who asks."""

    host: str
    port: int | None
    database: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What else the address says."""

    @property
    def secrets(self) -> list[str]:
        """What of it nobody else may see."""
        found = [self.password, *(self.options.get(name) for name in _SECRETS)]
        return [one for one in found if one]


def server_address(
    url: str, schemes: tuple[str, ...], username: str | None = None, password: str | None = None
) -> Address:
    """Return what an address such as `jdbc:postgresql://host:5432/db?user=me` means.

    A user and a password given beside it come before those in it.

    Raises:
        AddressError: It is of another database, or no address at all.
    """
    parts = urlsplit(url.strip().removeprefix("jdbc:"))
    example = f"write jdbc:{schemes[0]}://host:port/database"
    if parts.scheme not in schemes:
        raise AddressError(f"`url` is no address of a database of type {schemes[0]}", hint=example)
    try:
        port = parts.port
    except ValueError:
        raise AddressError("`url` has a port that is no number", hint=example) from None
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    in_query = options.pop("user", None), options.pop("password", None)
    return Address(
        host=unquote(parts.hostname or "localhost"),
        port=port,
        database=unquote(parts.path.removeprefix("/")),
        username=username or _text(parts.username) or in_query[0],
        password=password or _text(parts.password) or in_query[1],
        options=options,
    )


def file_address(url: str, scheme: str) -> str:
    """Return the path that an address such as `jdbc:sqlite:data/my.db` names; empty for a database in memory.

    Raises:
        AddressError: It is of another database.
    """
    text = url.strip().removeprefix("jdbc:")
    if not text.startswith(f"{scheme}:"):
        raise AddressError(f"`url` is no address of a database of type {scheme}", hint=f"write jdbc:{scheme}:my.db")
    path = text.removeprefix(f"{scheme}:").removeprefix("file:")
    if path.startswith("///"):  # of the form sqlite:////absolute and sqlite:///relative
        path = path.removeprefix("///")
    if not path.startswith("md:"):  # MotherDuck reads the rest itself
        path = path.partition("?")[0]
    return "" if path == ":memory:" else path


def _text(part: str | None) -> str | None:
    return None if part is None else unquote(part)
