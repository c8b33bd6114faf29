"""Accounts of programs: a name and API tokens, no password and no session."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from penstock.base.clock import SECOND, Clock, Instant, Micros
from penstock.base.errors import InvalidRequestError, NotFoundError
from penstock.ports.documents import Document, DocumentKind, DocumentStore
from penstock.services.auth.tokens import Tokens

_TENANT = "main"
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_OWNER = "service-account/"
"""What the owner of their tokens begins with: no login of a person does."""
_TRUSTED: Micros = 10 * SECOND


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """An account of a program; its name is its id."""

    name: str
    description: str | None
    is_disabled: bool
    created: Instant

    @property
    def owner(self) -> str:
        """Whose its tokens are."""
        return owner_of(self.name)


def owner_of(name: str) -> str:
    """Return whose the tokens of an account are."""
    return f"{_OWNER}{name}"


class ServiceAccounts:
    """Implements ENG-286, GOV-071 to GOV-073 (without groups and roles: each may do what the account may).

    One that was looked up is trusted for a few seconds, as tokens are.

    Args:
        documents: Where they are kept.
        tokens: Their API tokens.
        clock: Dates them.
    """

    def __init__(self, documents: DocumentStore, tokens: Tokens, clock: Clock) -> None:
        self._documents = documents
        self._tokens = tokens
        self._clock = clock
        self._known: dict[str, tuple[bool, Instant]] = {}

    async def create(self, name: str, description: str | None = None) -> ServiceAccount:
        """Make an account.

        Raises:
            InvalidRequestError: The name cannot be used.
            ConflictError: There is one of that name.
        """
        if not _NAME.fullmatch(name):
            raise InvalidRequestError(
                f"`{name}` is no name of a service account",
                hint="use up to 63 small letters, digits and hyphens, which stand within",
            )
        self._known.pop(name, None)
        return await self._save(name, description, is_disabled=False, is_new=True)

    async def get(self, name: str) -> ServiceAccount:
        """Return an account.

        Raises:
            NotFoundError: There is none of that name.
        """
        found = await self._documents.get(_TENANT, DocumentKind.SERVICE_ACCOUNT, "", name)
        if found is None:
            raise NotFoundError(f"there is no service account `{name}`")
        return _account(found)

    async def search(self, text: str = "") -> Sequence[ServiceAccount]:
        """Return the accounts in whose name or description a text occurs, by name."""
        found = map(_account, await self._documents.all(_TENANT, DocumentKind.SERVICE_ACCOUNT))
        return [one for one in found if text.casefold() in f"{one.name} {one.description or ''}".casefold()]

    async def change(self, name: str, description: str | None, *, is_disabled: bool) -> ServiceAccount:
        """Replace what is told of an account, and whether its tokens are refused.

        Raises:
            NotFoundError: There is none of that name.
        """
        await self.get(name)
        self._known.pop(name, None)
        return await self._save(name, description, is_disabled=is_disabled, is_new=False)

    async def delete(self, name: str) -> None:
        """Remove an account and its tokens.

        Raises:
            NotFoundError: There is none of that name.
        """
        account = await self.get(name)
        self._known.pop(name, None)
        for token in await self._tokens.of_user(account.owner):
            await self._tokens.revoke(account.owner, token.id)
        await self._documents.delete(_TENANT, DocumentKind.SERVICE_ACCOUNT, "", name)

    async def behind(self, owner: str) -> str | None:
        """Return the name of the account whose tokens are an owner's; None when it is no account that may log in."""
        if not owner.startswith(_OWNER):
            return None
        name, now = owner.removeprefix(_OWNER), self._clock.now()
        is_enabled, looked = self._known.get(name, (False, 0))
        if now - looked > _TRUSTED:
            found = await self._documents.get(_TENANT, DocumentKind.SERVICE_ACCOUNT, "", name)
            is_enabled = found is not None and not _account(found).is_disabled
            self._known[name] = (is_enabled, now)
        return name if is_enabled else None

    async def _save(self, name: str, description: str | None, *, is_disabled: bool, is_new: bool) -> ServiceAccount:
        now, about = self._clock.now(), {"description": description or None, "disabled": is_disabled}
        document = Document(_TENANT, DocumentKind.SERVICE_ACCOUNT, "", name, "", now, now, about)
        return _account(await self._documents.save(document, is_new=is_new))


def _account(found: Document) -> ServiceAccount:
    return ServiceAccount(found.id, found.about.get("description"), bool(found.about.get("disabled")), found.created)
