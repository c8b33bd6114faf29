"""API tokens of whoever asks (API-043, API-115)."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer, no_content, paged
from penstock.api.bodies import read_json
from penstock.api.middleware import person_of
from penstock.api.render.instants import iso, iso_or_none
from penstock.api.routes.table import Routes, json_body
from penstock.api.settings import ApiSettings
from penstock.base.clock import Clock, Instant
from penstock.base.durations import DurationError, parse_duration
from penstock.base.errors import InvalidRequestError
from penstock.ports.tokens import ApiToken
from penstock.services.auth import NewToken, Tokens


class _New(msgspec.Struct, rename="camel"):
    name: str
    description: str | None = None
    max_age: str | None = None
    extended: bool = False


class TokenAnswers:
    """What is answered about the API tokens of an owner.

    Args:
        tokens: The use cases.
        clock: Says which have expired.
        settings: Bounds.
    """

    def __init__(self, tokens: Tokens, clock: Clock, settings: ApiSettings) -> None:
        self._tokens = tokens
        self._clock = clock
        self._settings = settings

    async def list(self, owner: str) -> Response:
        """Return the tokens without their values."""
        found = await self._tokens.of_user(owner)
        return paged([_render(one, self._clock.now()) for one in found], len(found))

    async def create(self, request: Request, owner: str) -> Response:
        """Make a token and return its value."""
        wanted = await read_json(request, self._settings, _New)
        new = NewToken(wanted.name, wanted.description, _age(wanted.max_age), wanted.extended)
        token, value = await self._tokens.create(owner, new)
        return JsonAnswer({"id": token.id, "name": token.name, "fullToken": value})

    async def revoke(self, owner: str, token_id: str) -> Response:
        """Make a token worthless."""
        await self._tokens.revoke(owner, token_id)
        return no_content()


class TokenRoutes:
    """Implements the API tokens of API-115, GOV-075, GOV-076."""

    def __init__(self, answers: TokenAnswers) -> None:
        self._answers = answers

    def router(self) -> APIRouter:
        """Return the routes."""
        routes = Routes("/api/v1/me/api-tokens", "API tokens")
        add = routes.add
        add("GET", "", self.list, "listApiTokensForCurrentUser", answers=schemas.ApiTokenList)
        add("POST", "", self.create, "createApiTokenForCurrentUser", answers=schemas.CreatedApiToken,
            body=json_body(schemas.NewApiToken))  # fmt: skip
        add("DELETE", "/{tokenId}", self.revoke, "deleteApiTokenForCurrentUser", status=204)
        return routes.router

    async def list(self, request: Request) -> Response:
        """Return the API tokens of whoever asks, without their values."""
        return await self._answers.list(person_of(request))

    async def create(self, request: Request) -> Response:
        """Make an API token; its value is in this answer and nowhere else."""
        return await self._answers.create(request, person_of(request))

    async def revoke(self, request: Request, tokenId: str) -> Response:  # noqa: N803
        """Make an API token worthless."""
        return await self._answers.revoke(person_of(request), tokenId)


def _age(text: str | None) -> int | None:
    try:
        return parse_duration(text) if text else None
    except DurationError as error:
        raise InvalidRequestError(f"`maxAge`: {error.message}", hint=error.hint) from error


def _render(token: ApiToken, now: Instant) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": token.id,
        "name": token.name,
        "prefix": token.prefix,
        "iat": iso(token.created),
        "extended": token.extended,
        "expired": token.expires is not None and token.expires <= now,
    }
    optional = {
        "description": token.description,
        "exp": iso_or_none(token.expires),
        "lastUsed": iso_or_none(token.last_used),
    }
    return body | {key: value for key, value in optional.items() if value is not None}
