"""The instance: configuration, set-up of the account, login and logout (API-041, API-114)."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from penstock.api import schemas
from penstock.api.answers import JsonAnswer, no_content
from penstock.api.bodies import form_values, read_json
from penstock.api.errors import MalformedBodyError
from penstock.api.middleware import identity_of
from penstock.api.middleware.gate import COOKIE
from penstock.api.routes.table import Routes
from penstock.api.settings import ApiSettings
from penstock.services.auth import AuthService, Credentials, LoginRequiredError
from penstock.services.auth.sessions import LIFETIME
from penstock.services.instance import InstanceService
from penstock.services.templates import TemplateService

_SECOND = 1_000_000


class _NewAccount(msgspec.Struct):
    username: str
    password: str


class InstanceRoutes:
    """Implements API-003 (login), API-041, API-114, OPS-180, UI-002.

    Args:
        auth: Knows the account.
        instance: Knows the instance's id.
        templates: Say whether there are templates.
        settings: What the interface is told.
    """

    def __init__(
        self, auth: AuthService, instance: InstanceService, templates: TemplateService, settings: ApiSettings
    ) -> None:
        self._auth = auth
        self._instance = instance
        self._settings = settings
        self._templates = templates

    def router(self) -> APIRouter:
        """Return the routes."""
        routes = Routes("", "Instance")
        add = routes.add
        credentials = {"application/json": {"schema": {"$ref": "#/components/schemas/Credentials"}}}
        add("GET", "/ping", self.ping, "ping", kind="text/plain")
        add("GET", "/api/v1/configs", self.configs, "configuration", answers=schemas.InstanceConfig)
        add("GET", "/api/v1/basicAuthValidationErrors", self.problems, "basicAuthValidationErrors", answers=list[str])
        add("GET", "/api/v1/setup", self.setup, "setupConfiguration", answers=schemas.Setup)
        add("GET", "/api/v1/me", self.me, "currentUser", answers=schemas.Me)
        add("POST", "/api/v1/{tenant}/basicAuth", self.set_up, "createBasicAuth", status=204, body=credentials)
        add("POST", "/login", self.login, "login", body=credentials)
        add("POST", "/logout", self.logout, "logout")
        return routes.router

    async def ping(self) -> Response:
        """Answer."""
        return Response("pong", media_type="text/plain")

    async def configs(self, request: Request) -> Response:
        """Return what the interface needs to know; most of it only after a login."""
        settings = self._settings
        body: dict[str, Any] = {
            "version": settings.version,
            "edition": "OSS",
            "isBasicAuthInitialized": self._auth.is_initialized,
        }
        if settings.environment_name or settings.environment_color:
            body["environment"] = {"name": settings.environment_name, "color": settings.environment_color}
        if identity_of(request) is not None:
            body.update(
                uuid=await self._instance.uuid(),
                url=settings.url or None,
                preview={"initial": settings.preview_initial, "max": settings.preview_max},
                chartDefaultDuration="P30D",
                systemNamespace=settings.system_namespace,
                hiddenLabelsPrefixes=list(settings.hidden_labels),
                isCustomDashboardsEnabled=True,
                isAnonymousUsageEnabled=False,
                isUiAnonymousUsageEnabled=False,
                isTemplateEnabled=self._templates.enabled,
                isAiEnabled=False,
                isConcurrencyViewEnabled=True,
            )
        return JsonAnswer(body)

    async def problems(self) -> Response:
        """Return what is wrong with the configured credentials, if anything."""
        return JsonAnswer(self._auth.problems)

    async def setup(self) -> Response:
        """Return whether there is an account."""
        return JsonAnswer({"done": self._auth.is_initialized})

    async def me(self, request: Request) -> Response:
        """Return who asks."""
        identity = identity_of(request)
        if identity is None:
            raise LoginRequiredError("this needs a login")
        name = identity.username
        return JsonAnswer(
            {
                "id": name,
                "superAdmin": True,
                "restricted": False,
                "profile": {"username": name, "email": name},
                "auths": [],
                "tenants": [{"id": tenant, "name": tenant} for tenant in sorted(self._settings.tenants)],
            }
        )

    async def set_up(self, request: Request, tenant: str) -> Response:
        """Make the first account; refused once there is one."""
        wanted = await read_json(request, self._settings, _NewAccount)
        await self._auth.set_up(Credentials(wanted.username, wanted.password))
        return no_content()

    async def login(self, request: Request) -> Response:
        """Begin a session; the cookie is not readable by scripts."""
        async with form_values(request, self._settings) as form:
            username, password = form.values.get("username"), form.values.get("password")
        if not isinstance(username, str) or not isinstance(password, str):
            raise MalformedBodyError("a login needs `username` and `password`")
        address = request.client.host if request.client else ""
        cookie = await self._auth.login(Credentials(username, password), address)
        answer = JsonAnswer({"username": username})
        answer.set_cookie(
            COOKIE,
            cookie,
            max_age=LIFETIME // _SECOND,
            path="/",
            secure=self._is_secure(request),
            httponly=True,
            samesite="lax",
        )
        return answer

    async def logout(self, request: Request) -> Response:
        """End the session of this browser."""
        await self._auth.logout(request.cookies.get(COOKIE, ""))
        answer = JsonAnswer({})
        answer.delete_cookie(COOKIE, path="/", secure=self._is_secure(request), httponly=True, samesite="lax")
        return answer

    def _is_secure(self, request: Request) -> bool:
        return self._settings.secure_cookie or request.url.scheme == "https"
