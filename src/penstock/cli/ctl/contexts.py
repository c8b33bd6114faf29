"""Which server `penstock ctl` speaks to: flags, then environment variables, then a context of the file, then defaults.

The file has the documented form, so that an existing one goes on working; what else stands in it is kept.
Implements OPS-121.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.base.errors import InvalidRequestError, NotFoundError
from penstock.cli.remote import Address

DEFAULT_FILE = Path("~/.kestractl/config.yaml")
DEFAULT_HOST = "http://localhost:8080"
_BOTH = "there are both a token and a user name or password"
_BOTH_HINT = "give either a token, or user name and password"


@dataclass(frozen=True, slots=True)
class Given:
    """What one source says of the server: flags, variables or a context; None where it says nothing."""

    source: str
    host: str | None = None
    tenant: str | None = None
    token: str | None = field(default=None, repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    output: str | None = None

    def check(self) -> Given:
        """Return it, unless it asks for two ways to log in at once.

        Raises:
            InvalidRequestError: It does.
        """
        if self.token and (self.username or self.password):
            raise InvalidRequestError(f"{_BOTH} in {self.source}", hint=_BOTH_HINT)
        return self


def from_environment(variables: Mapping[str, str]) -> Given:
    """Return what the variables `KESTRACTL_*` say."""
    names = ("host", "tenant", "token", "username", "password", "output")
    found = {name: variables.get(f"KESTRACTL_{name.upper()}") or None for name in names}
    return Given("the environment (KESTRACTL_*)", **found)


def resolve(sources: tuple[Given, ...]) -> Address:
    """Return the address that sources make together, the first to say something winning.

    The way to log in is that of the first source that has one; the other half of a name and password may come from
    the sources after it.

    Raises:
        InvalidRequestError: One source asks for two ways at once.
    """
    host = _first(sources, "host") or DEFAULT_HOST
    tenant = _first(sources, "tenant") or "main"
    for one in sources:
        one.check()
        if one.token:
            return Address(host, tenant, token=one.token)
        if one.username or one.password:
            return Address(host, tenant, _first(sources, "username"), _first(sources, "password"))
    return Address(host, tenant)


def _first(sources: tuple[Given, ...], name: str) -> str | None:
    return next((value for one in sources if (value := getattr(one, name))), None)


class ContextFile:
    """The file with contexts.

    Args:
        path: Where it is; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser()

    def names(self) -> tuple[str, ...]:
        """Return the names of the contexts."""
        return tuple(self._contexts(self._read()))

    def default(self) -> str | None:
        """Return the name of the context used by default."""
        found = self._read().get("default_context")
        return str(found) if found else None

    def get(self, name: str | None = None) -> Given:
        """Return a context, or the default one; one that says nothing when there is none.

        Raises:
            NotFoundError: There is none of that name.
        """
        name = name or self.default()
        if name is None:
            return Given("no context")
        entry = self._contexts(self._read()).get(name)
        if entry is None:
            raise self._unknown(name)
        if not isinstance(entry, dict):
            raise InvalidRequestError(f"context `{name}` in {self.path} is no map", hint="remove it and add it anew")
        by_token = entry.get("auth_method") == "token" or ("auth_method" not in entry and entry.get("token"))
        wanted = ("host", "tenant", "token") if by_token else ("host", "tenant", "username", "password")
        values = {key: str(entry[key]) for key in wanted if entry.get(key) is not None}
        return Given(f"context `{name}`", **values)

    def add(self, name: str, context: Given, *, default: bool) -> None:
        """Keep a context; the first one is the default."""
        content = self._read()
        entry: dict[str, Any] = {"host": context.host, "tenant": context.tenant}
        if context.token:
            entry |= {"auth_method": "token", "token": context.token}
        else:
            entry |= {"auth_method": "basicAuth", "username": context.username, "password": context.password}
        content["contexts"] = {**self._contexts(content), name: entry}
        if default or not content.get("default_context"):
            content["default_context"] = name
        self._write(content)

    def use(self, name: str) -> None:
        """Make a context the default one.

        Raises:
            NotFoundError: There is none of that name.
        """
        content = self._read()
        if name not in self._contexts(content):
            raise self._unknown(name)
        self._write({**content, "default_context": name})

    def remove(self, name: str) -> None:
        """Forget a context.

        Raises:
            NotFoundError: There is none of that name.
        """
        content = self._read()
        contexts = dict(self._contexts(content))
        if contexts.pop(name, None) is None:
            raise self._unknown(name)
        content["contexts"] = contexts
        if content.get("default_context") == name:
            content.pop("default_context")
        self._write(content)

    def _unknown(self, name: str) -> NotFoundError:
        known = ", ".join(self.names()) or "there is none yet"
        return NotFoundError(f"{self.path} has no context `{name}`", hint=f"known: {known}")

    def _contexts(self, content: Mapping[str, Any]) -> dict[str, Any]:
        found = content.get("contexts") or {}
        if not isinstance(found, dict):
            raise InvalidRequestError(f"`contexts` in {self.path} is no map", hint="correct or remove the file")
        return {str(name): entry for name, entry in found.items()}

    def _read(self) -> dict[str, Any]:
        import yaml

        try:
            content = yaml.safe_load(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise InvalidRequestError(f"{self.path} cannot be read: {error.strerror}") from error
        except (yaml.YAMLError, UnicodeDecodeError):  # what the parser says may quote a password
            raise InvalidRequestError(f"{self.path} is no YAML", hint="correct or remove the file") from None
        if content is None:
            return {}
        if not isinstance(content, dict):
            raise InvalidRequestError(f"{self.path} holds no map", hint="correct or remove the file")
        return content

    def _write(self, content: Mapping[str, Any]) -> None:
        """Replace the file at once, readable by its owner alone: it holds passwords."""
        import yaml

        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".config-")  # made with mode 0600
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                yaml.safe_dump(dict(content), file, sort_keys=False, allow_unicode=True)
            Path(name).replace(self.path)
        except OSError as error:
            raise InvalidRequestError(f"{self.path} cannot be written: {error.strerror}") from error
