"""Authentication: the account, Basic headers, tokens, the login of browsers.

A password is checked slowly, on purpose; a header that was right once is recognised by a keyed digest afterwards, so
that it costs next to nothing on every further request.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from penstock.base.clock import SECOND, Clock, Instant, Micros
from penstock.base.errors import ConflictError, InvalidRequestError, UnauthorizedError
from penstock.base.recent import Recent
from penstock.ports.settings import SettingsStore
from penstock.services.auth.accounts import ServiceAccounts
from penstock.services.auth.credentials import Account, Credentials, decode_basic, generate_password, problems_of
from penstock.services.auth.lockout import Lockout, LockoutRules
from penstock.services.auth.sessions import Sessions
from penstock.services.auth.tokens import Tokens

ACCOUNT_KEY = "kestra.server.basic-auth"
"""Where the account is stored (OPS-180)."""
SECRET_KEY = "penstock.server.secret"  # noqa: S105  # the name of a setting
_TRUSTED: Micros = 60 * SECOND
_MOST_REMEMBERED = 1000


class LoginRequiredError(UnauthorizedError):
    """The caller is not known. Rendered as HTTP 401."""

    code = "LOGIN_REQUIRED"
    hint = "send the user name and password (HTTP Basic), or log in"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who sent a request."""

    username: str
    by_cookie: bool = False
    """Whether the browser sent the proof by itself, so that the request might have been forged by another page."""
    is_service: bool = False
    """Whether it is the account of a program."""


class AuthService:
    """Knows the account and recognises its owner.

    Implements API-003, OPS-077, OPS-180, OPS-181, OPS-208, MIG-060, MIG-061.

    Args:
        settings: Where the account lives when it is not configured.
        tokens: The tokens of its owner, and of programs.
        accounts: Those of programs.
        clock: Dates sessions and failures.
        configured: Credentials of the configuration; they take precedence.
        rules: The limit on guessing.
        hasher: How passwords are hashed.
    """

    def __init__(
        self,
        settings: SettingsStore,
        tokens: Tokens,
        accounts: ServiceAccounts,
        clock: Clock,
        *,
        configured: Credentials | None = None,
        rules: LockoutRules | None = None,
        hasher: PasswordHasher | None = None,
    ) -> None:
        self._settings = settings
        self.tokens = tokens
        self.accounts = accounts
        self._clock = clock
        self._configured = configured
        self._lockout = Lockout(rules or LockoutRules())
        self._hasher = hasher or PasswordHasher()
        self._checking = asyncio.Semaphore(2)
        self._account: Account | None = None
        self._sessions = Sessions(tokens)
        self._key = os.urandom(32)
        self._known: Recent[bytes, Identity] = Recent(_MOST_REMEMBERED)
        self._looked: Instant = 0
        self.problems: list[str] = problems_of(configured) if configured is not None else []
        """What is wrong with the configured credentials (OPS-208)."""

    @property
    def is_initialized(self) -> bool:
        """Whether there is an account."""
        return self._account is not None

    async def open(self) -> None:
        """Load the account, or make one of the configured credentials; call once before anything else."""
        if await self._settings.get(SECRET_KEY) is None:
            await self._settings.keep(SECRET_KEY, secrets.token_urlsafe(32))
        if self._configured is not None and not self.problems:
            await self._adopt_configured(self._configured)
        elif self._configured is None:
            await self._look()

    async def generate(self, username: str) -> Credentials | None:
        """Make an account with a random password when there is none yet, and return it to be shown once."""
        if self.is_initialized or self.problems:
            return None
        credentials = Credentials(username, generate_password())
        await self._store(credentials)
        return credentials

    async def set_up(self, credentials: Credentials) -> None:
        """Make the account on the set-up page.

        Raises:
            ConflictError: There is one already, or the configuration names one that is refused.
            InvalidRequestError: The name or the password does not meet the rules.
        """
        await self._look()
        if self.is_initialized:
            raise ConflictError("there is an account already", hint="log in with it")
        if self.problems:  # whoever configured an account must not find that a visitor has made another one
            raise ConflictError(
                f"the credentials in the configuration are refused: {'; '.join(self.problems)}",
                hint="correct kestra.server.basic-auth in the configuration and start the server again",
            )
        if problems := problems_of(credentials):
            raise InvalidRequestError("; ".join(problems))
        await self._store(credentials)

    async def change_password(self, current: Credentials, password: str, address: str) -> None:
        """Replace the account's password; sessions begun with the old one end. Implements GOV-033.

        Raises:
            ConflictError: The configuration names the account.
            LoginRequiredError: The current password is wrong.
            LockedOutError: Too many wrong ones came from that address.
            InvalidRequestError: The new password does not meet the rules.
        """
        if self._configured is not None:
            raise ConflictError(
                "the password comes from the configuration", hint="change kestra.server.basic-auth.password there"
            )
        async with self._checking:
            await self._verify(current, address)
        wanted = Credentials(current.username, password)
        if problems := problems_of(wanted):
            raise InvalidRequestError("; ".join(problems))
        await self._store(wanted)

    async def by_header(self, header: str, address: str) -> Identity:
        """Return who sent an `Authorization` header.

        Raises:
            LoginRequiredError: It is not the account's.
            LockedOutError: Too many wrong ones came from that address.
        """
        digest = hashlib.blake2b(header.encode(), key=self._key, digest_size=16).digest()
        await self._refresh()
        known = self._known.get(digest)
        if known is not None:
            # A guesser who has been locked out must not be told by this that a guess is right.
            self._lockout.check_pair(known.username, address, self._clock.now())
            return known
        scheme, _, value = header.partition(" ")
        if scheme.lower() == "bearer":
            return await self._by_token(value.strip())
        credentials = decode_basic(value.strip()) if scheme.lower() == "basic" else None
        if credentials is None:
            raise LoginRequiredError("the Authorization header is not understood")
        async with self._checking:
            known = self._known.get(digest)  # many requests may arrive before the first is checked
            if known is not None:
                self._lockout.check_pair(known.username, address, self._clock.now())
                return known
            await self._verify(Credentials(*credentials), address)
            identity = Identity(credentials[0])
            self._known.put(digest, identity)
        return identity

    async def _by_token(self, value: str) -> Identity:
        """Return the account's owner for one of their tokens, or a program for one of its (GOV-076, GOV-078)."""
        owner = await self.tokens.owner(value)
        if owner is not None and self._account is not None and owner == self._account.username:
            return Identity(owner)
        program = None if owner is None else await self.accounts.behind(owner)
        if program is None:
            raise LoginRequiredError("the API token is unknown, revoked or too old", hint="use another one")
        return Identity(program, is_service=True)

    async def by_cookie(self, cookie: str, address: str) -> Identity:
        """Return who sent a `BASIC_AUTH` cookie: a session, or the documented base64 of name and password.

        Raises:
            LoginRequiredError: It stands for nobody.
        """
        await self._refresh()
        if decode_basic(cookie) is not None:
            identity = await self.by_header(f"Basic {cookie}", address)
            return Identity(identity.username, by_cookie=True)
        if self._account is not None and await self._sessions.is_of(self._account, cookie):
            return Identity(self._account.username, by_cookie=True)
        raise LoginRequiredError("the session has ended", hint="log in again")

    async def login(self, credentials: Credentials, address: str) -> str:
        """Return the cookie of a new session.

        Raises:
            LoginRequiredError: The name or the password is wrong.
            LockedOutError: Too many wrong ones came from that address.
        """
        await self._refresh()
        async with self._checking:
            await self._verify(credentials, address)
        assert self._account is not None
        return await self._sessions.begin(self._account)

    async def logout(self, cookie: str) -> None:
        """End the session of a cookie; any other cookie stands for nothing that could end."""
        if self._account is not None:
            await self._sessions.end(self._account, cookie)

    async def _verify(self, credentials: Credentials, address: str) -> None:
        now = self._clock.now()
        self._lockout.check(credentials.username, address, now)
        account = self._account
        if account is None:
            raise LoginRequiredError("there is no account yet", hint="open the set-up page of the interface")
        # An unknown name takes as long as a known one, so that the answer's time does not tell them apart.
        right_name = secrets.compare_digest(credentials.username.encode(), account.username.encode())
        right_password = await asyncio.to_thread(self._matches, account.password_hash, credentials.password)
        if not (right_name and right_password):
            self._lockout.failed(credentials.username, address, now)
            raise LoginRequiredError("the user name or the password is wrong", hint="")
        self._lockout.succeeded(credentials.username, address)

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _adopt_configured(self, configured: Credentials) -> None:
        """Keep the hash of configured credentials in the settings, so that sessions outlive a restart."""
        stored = _account(await self._settings.get(ACCOUNT_KEY))
        if stored is None:  # another server may be making the same account now: all must have the same one
            made = await self._made(configured)
            stored = _account(await self._settings.keep(ACCOUNT_KEY, _kept(made))) or made
        if stored.username == configured.username and await asyncio.to_thread(
            self._matches, stored.password_hash, configured.password
        ):
            self._use(stored)
        else:
            await self._store(configured)

    async def _store(self, credentials: Credentials) -> None:
        account = await self._made(credentials)
        await self._settings.put(ACCOUNT_KEY, _kept(account))
        if self._account is not None:
            await self._sessions.end_all(self._account)
        self._use(account)

    async def _made(self, credentials: Credentials) -> Account:
        return Account(credentials.username, await asyncio.to_thread(self._hasher.hash, credentials.password))

    async def _refresh(self) -> None:
        """Look now and then whether another server changed the account."""
        if self._configured is None and self._clock.now() - self._looked > _TRUSTED:
            await self._look()

    async def _look(self) -> None:
        self._looked = self._clock.now()
        account = _account(await self._settings.get(ACCOUNT_KEY))
        if account is not None and account != self._account:
            self._use(account)

    def _use(self, account: Account) -> None:
        self._account = account
        self._known.clear()


def _account(value: Mapping[str, Any] | None) -> Account | None:
    return None if value is None else Account(str(value["username"]), str(value["passwordHash"]))


def _kept(account: Account) -> Mapping[str, Any]:
    return {"username": account.username, "passwordHash": account.password_hash}
