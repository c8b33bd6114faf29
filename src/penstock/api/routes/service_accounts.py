"""Accounts of programs and their API tokens (API-043, API-116)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer, no_content, paged
from penstock.api.bodies import read_json
from penstock.api.middleware import person_of
from penstock.api.routes.table import PAGE, Routes, json_body, parameter
from penstock.api.routes.tokens import TokenAnswers
from penstock.api.search import cut, page_of
from penstock.api.settings import ApiSettings
from penstock.base.errors import InvalidRequestError
from penstock.services.auth import ServiceAccount, ServiceAccounts


class _Account(msgspec.Struct, rename="camel"):
    name: str
    description: str | None = None
    groups: Sequence[Mapping[str, Any]] = ()
    tenants: Sequence[str] = ()
    super_admin: bool = True
    disabled: bool = False


class _Changes(msgspec.Struct):
    name: str | None = None
    description: str | msgspec.UnsetType | None = msgspec.UNSET
    disabled: bool | None = None


class ServiceAccountRoutes:
    """Implements the service accounts of API-116, ENG-286; one's id is its name.

    There are no roles and no groups: each account may do everything but make accounts and tokens.

    Args:
        accounts: The use cases.
        tokens: What is answered about their tokens.
        settings: Bounds, and which tenants there are.
    """

    def __init__(self, accounts: ServiceAccounts, tokens: TokenAnswers, settings: ApiSettings) -> None:
        self._accounts = accounts
        self._tokens = tokens
        self._settings = settings

    def router(self) -> APIRouter:
        """Return the routes: for all tenants, and for one."""
        routes = Routes("/api/v1", "Service accounts")
        add, one, place = routes.add, schemas.ServiceAccount, "/service-accounts"
        body, tenant = json_body(schemas.ServiceAccountToKeep), "/{tenant}/service-accounts"
        add("GET", place, self.search, "listServiceAccounts", answers=schemas.PagedServiceAccounts,
            parameters=[parameter("q"), *PAGE])  # fmt: skip
        add("POST", place, self.create, "createServiceAccount", answers=one, body=body)
        add("GET", place + "/{id}", self.get, "serviceAccount", answers=one)
        add("PATCH", place + "/{id}", self.patch, "patchServiceAccountDetails", answers=one,
            body=json_body(schemas.ServiceAccountChanges))  # fmt: skip
        add("DELETE", place + "/{id}", self.delete, "deleteServiceAccount", status=204)
        add("POST", tenant, self.create, "createServiceAccountForTenant", answers=one, body=body)
        add("GET", tenant + "/{id}", self.get, "serviceAccountForTenant", answers=one)
        add("PUT", tenant + "/{id}", self.update, "updateServiceAccount", answers=one, body=body)
        add("DELETE", tenant + "/{id}", self.delete, "deleteServiceAccountForTenant", status=204)
        for start, ending in ((place, ""), (tenant, "WithTenant")):
            tokens = start + "/{id}/api-tokens"
            add("GET", tokens, self.tokens, f"listApiTokensForServiceAccount{ending}", answers=schemas.ApiTokenList)
            add("POST", tokens, self.create_token, f"createApiTokensForServiceAccount{ending}",
                answers=schemas.CreatedApiToken, body=json_body(schemas.NewApiToken))  # fmt: skip
            add("DELETE", tokens + "/{tokenId}", self.revoke_token, f"deleteApiTokenForServiceAccount{ending}",
                status=204)  # fmt: skip
        return routes.router

    async def search(self, request: Request) -> Response:
        """Return a page of the accounts of programs."""
        page = page_of(request.query_params.multi_items())
        found = await self._accounts.search(request.query_params.get("q", ""))
        return paged([self._render(one) for one in cut(list(found), page)], len(found))

    async def create(self, request: Request) -> Response:
        """Make an account for a program."""
        person_of(request)
        wanted = await self._wanted(request)
        account = await self._accounts.create(wanted.name, wanted.description)
        if wanted.disabled:
            account = await self._accounts.change(account.name, account.description, is_disabled=True)
        return JsonAnswer(self._render(account))

    async def get(self, id: str) -> Response:  # noqa: A002
        """Return an account of a program."""
        return JsonAnswer(self._render(await self._accounts.get(id)))

    async def patch(self, request: Request, id: str) -> Response:  # noqa: A002
        """Change what is told of an account, or whether its tokens are refused."""
        person_of(request)
        wanted, account = await read_json(request, self._settings, _Changes), await self._accounts.get(id)
        _check_name(account, wanted.name)
        description = account.description if wanted.description is msgspec.UNSET else wanted.description
        is_disabled = account.is_disabled if wanted.disabled is None else wanted.disabled
        changed = await self._accounts.change(id, description, is_disabled=is_disabled)
        return JsonAnswer(self._render(changed))

    async def update(self, request: Request, id: str) -> Response:  # noqa: A002
        """Replace what is told of an account."""
        person_of(request)
        wanted = await self._wanted(request)
        _check_name(await self._accounts.get(id), wanted.name)
        changed = await self._accounts.change(id, wanted.description, is_disabled=wanted.disabled)
        return JsonAnswer(self._render(changed))

    async def delete(self, request: Request, id: str) -> Response:  # noqa: A002
        """Remove an account and its tokens."""
        person_of(request)
        await self._accounts.delete(id)
        return no_content()

    async def tokens(self, request: Request, id: str) -> Response:  # noqa: A002
        """Return the API tokens of an account, without their values."""
        person_of(request)
        return await self._tokens.list((await self._accounts.get(id)).owner)

    async def create_token(self, request: Request, id: str) -> Response:  # noqa: A002
        """Make an API token of an account; its value is in this answer and nowhere else."""
        person_of(request)
        return await self._tokens.create(request, (await self._accounts.get(id)).owner)

    async def revoke_token(self, request: Request, id: str, tokenId: str) -> Response:  # noqa: A002, N803
        """Make an API token of an account worthless."""
        person_of(request)
        return await self._tokens.revoke((await self._accounts.get(id)).owner, tokenId)

    async def _wanted(self, request: Request) -> _Account:
        wanted = await read_json(request, self._settings, _Account)
        unknown = [one for one in wanted.tenants if one not in self._settings.tenants]
        if unknown:
            raise InvalidRequestError(f"there is no tenant {unknown[0]}")
        if wanted.groups or not wanted.super_admin:
            raise InvalidRequestError(
                "a service account has no groups, and may do everything", hint="leave out `groups` and `superAdmin`"
            )
        return wanted

    def _render(self, account: ServiceAccount) -> dict[str, Any]:
        body: dict[str, Any] = {
            "id": account.name,
            "name": account.name,
            "superAdmin": True,
            "disabled": account.is_disabled,
            "tenants": [{"id": tenant, "name": tenant} for tenant in sorted(self._settings.tenants)],
            "groups": [],
        }
        return body | ({} if account.description is None else {"description": account.description})


def _check_name(account: ServiceAccount, name: str | None) -> None:
    if name not in (None, account.name):
        raise InvalidRequestError(
            f"service account {account.name} cannot be renamed to `{name}`", hint="make a new one, and delete this one"
        )
