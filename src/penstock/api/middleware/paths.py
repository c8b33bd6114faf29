"""Paths as the documentation spells them: with or without a tenant, under a context path or not.

Implements API-001, API-002, OPS-096.
"""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Receive, Scope, Send

from penstock.api.errors import error_answer
from penstock.api.settings import ApiSettings
from penstock.base.errors import NotFoundError

_PREFIX = "/api/v1/"
TENANT_RESOURCES = frozenset(
    {
        "acls",
        "ai",
        "apps",
        "assets",
        "basicAuth",
        "blueprints",
        "concurrency-limit",
        "credentials",
        "dashboards",
        "dependencies",
        "executions",
        "flows",
        "kv",
        "logs",
        "metrics",
        "namespaces",
        "schemas",
        "secrets",
        "stats",
        "templates",
        "tests",
        "triggers",
        "usages",
    }
)
"""Resources that belong to a tenant: what `/api/v1/<resource>` stands for without one."""
_INSTANCE_RESOURCES = frozenset(
    {"configs", "plugins", "basicAuthValidationErrors", "setup", "me", "auths", "license-info", "main-tenant-flows",
     "service-accounts", "worker", "instance", "cluster", "users", "tenants", "openapi.json"}
)  # fmt: skip
_ENCODED_SLASH = re.compile(b"%2f", re.IGNORECASE)
_TAKES_SLASHES = re.compile("/(kv|webhook|why)/")
"""Before keys of pairs, the rest of a webhook's path, and what is explained: all other names hold no slash."""


class PathRewriter:
    """Takes the context path off and puts the tenant in, before anything looks at the path.

    An encoded slash within a name is answered here: routes see paths decoded, and would take it for the name's end.
    """

    def __init__(self, app: ASGIApp, settings: ApiSettings) -> None:
        self._app = app
        self._tenants = settings.tenants
        self._default = settings.default_tenant
        self._context = settings.context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            path: str = scope["path"]
            if self._context:
                path = _without(self._context, path)
            if path.startswith(_PREFIX):
                head, slash, rest = path[len(_PREFIX) :].partition("/")
                if head in TENANT_RESOURCES:
                    tenant = self._chosen(scope)
                    path = f"{_PREFIX}{tenant}/{head}{slash}{rest}"
                    head = tenant
                if head not in self._tenants and head not in _INSTANCE_RESOURCES:
                    answer = error_answer(NotFoundError(f"there is no tenant `{head}`"), path)
                    await answer(scope, receive, send)
                    return
                raw: bytes = scope.get("raw_path") or b""
                if _ENCODED_SLASH.search(raw) and not _TAKES_SLASHES.search(path):
                    asked = raw.decode("latin-1")
                    error = NotFoundError(f"there is no {asked}", hint="no name in this path can hold a slash (`%2F`)")
                    await error_answer(error, asked)(scope, receive, send)
                    return
            if path is not scope["path"]:
                scope = {**scope, "path": path, "raw_path": path.encode()}
        await self._app(scope, receive, send)

    def _chosen(self, scope: Scope) -> str:
        for name, value in scope["headers"]:
            if name == b"x-kestra-tenant":
                return str(value.decode("latin-1"))
        return self._default


def _without(context: str, path: str) -> str:
    """Return the path below the context path; a path outside of it stays as it is."""
    if path == context:
        return "/"
    return path[len(context) :] if path.startswith(context + "/") else path
