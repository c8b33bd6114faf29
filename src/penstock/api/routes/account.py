"""The account and what surrounds it: ways to log in, own password, permissions, licence (API-114, API-115)."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer, no_content
from penstock.api.bodies import read_json
from penstock.api.middleware import identity_of
from penstock.api.routes.table import Routes, json_body
from penstock.api.settings import ApiSettings
from penstock.services.auth import AuthService, Credentials, LoginRequiredError
from penstock.services.flows import FlowService

ACTIONS = ("READ", "CREATE", "UPDATE", "DELETE")
PERMISSIONS = ("FLOW", "BLUEPRINT", "TEMPLATE", "NAMESPACE", "EXECUTION", "SECRET", "KVSTORE", "SETTING", "DASHBOARD")
"""The resources this server has; its one account may do everything with all of them."""


class _NewPassword(msgspec.Struct, rename="camel"):
    old_password: str
    new_password: str


class AccountRoutes:
    """Implements the `license-info`, `main-tenant-flows` and `acls` endpoints of API-114; the `auths`
    endpoint of API-115; GOV-033.

    Args:
        auth: Knows the account.
        flows: Finds flows.
        settings: Which tenants there are; bounds.
    """

    def __init__(
        self,
        auth: AuthService,
        flows: FlowService,
        settings: ApiSettings,
    ) -> None:
        self._auth = auth
        self._flows = flows
        self._settings = settings

    def router(self) -> APIRouter:
        """Return the routes."""
        routes = Routes("/api/v1", "Instance")
        add = routes.add
        add("GET", "/auths", self.login_methods, "index", answers=schemas.LoginMethods)
        add("GET", "/license-info", self.license, "licenseInfo", answers=schemas.License)
        add("GET", "/main-tenant-flows", self.has_flows, "mainTenantFlows", answers=bool)
        add("PUT", "/me/password", self.change_password, "updateCurrentUserPassword", status=204,
            body=json_body(schemas.NewPassword))  # fmt: skip
        add("GET", "/{tenant}/acls/actions", self.actions, "listActions", answers=list[str])
        add("GET", "/{tenant}/acls/permissions", self.permissions, "listPermissions", answers=list[str])
        return routes.router

    async def login_methods(self) -> Response:
        """Return how people can log in."""
        return JsonAnswer({"loginPassword": True, "mailsEnabled": False, "passwordless": False, "oauths": []})

    async def license(self) -> Response:
        """Return what the licence allows: it neither ends nor bounds anything."""
        return JsonAnswer({"type": "OSS", "expired": False, "standalone": True, "workerGroups": True, "online": False})

    async def has_flows(self) -> Response:
        """Return whether the main tenant has flows."""
        return JsonAnswer(bool(await self._flows.namespaces("main")))

    async def actions(self, tenant: str) -> Response:
        """Return what can be permitted to do with a resource."""
        return JsonAnswer(ACTIONS)

    async def permissions(self, tenant: str) -> Response:
        """Return the resources that permissions are about."""
        return JsonAnswer(PERMISSIONS)

    async def change_password(self, request: Request) -> Response:
        """Replace the own password; sessions that were begun with the old one end."""
        identity = identity_of(request)
        if identity is None:
            raise LoginRequiredError("this needs a login")
        wanted = await read_json(request, self._settings, _NewPassword)
        address = request.client.host if request.client else ""
        await self._auth.change_password(
            Credentials(identity.username, wanted.old_password), wanted.new_password, address
        )
        return no_content()
