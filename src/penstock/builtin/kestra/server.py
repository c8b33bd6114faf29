"""The server that a task calls: its address, who calls, and the calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self

import httpx
from pydantic import Field

from penstock.builtin.http.client import Bearer
from penstock.sdk import PluginError, PluginModel, Property, RunContext, Task
from penstock.sdk.http import http_client

_PAGE = 100


class ServerUnknown(PluginError):
    """Nobody says which server to call."""

    code = "SERVER_UNKNOWN"


class ServerRefused(PluginError):
    """The server does not do what it is asked for, or does not answer."""

    code = "SERVER_REFUSED"


class Auth(PluginModel):
    """Who calls."""

    api_token: Property[str] | None = Field(None, description="A token of the API.")
    username: Property[str] | None = Field(None, description="The name of an account.")
    password: Property[str] | None = Field(None, description="Its password.")
    auto: Property[bool] | None = Field(None, description="Accepted for flows written elsewhere; has no effect.")

    def rendered(self, context: RunContext) -> httpx.Auth | None:
        """Return what each call is signed with: the token, or else the account."""
        token = context.render(self.api_token)
        if token:
            return Bearer(token)
        username = context.render(self.username)
        return httpx.BasicAuth(username, context.render(self.password, "")) if username else None


class Server:
    """Calls the API of a server for a tenant, for as long as its context lasts.

    Args:
        client: Knows the address, and who calls.
        tenant: Whose data it is about.
    """

    def __init__(self, client: httpx.Client, tenant: str) -> None:
        self._client = client
        self._tenant = tenant

    def __enter__(self) -> Self:
        self._client.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.__exit__(kind, error, trace)

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Return what the server answers to a request for `/api/v1/<tenant>/<path>`; None when that is nothing.

        Raises:
            ServerRefused: It answers with an error, or not at all.
        """
        try:
            answer = self._client.request(method, f"/api/v1/{self._tenant}/{path}", **options)
            if answer.is_success:
                return answer.json() if answer.content else None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            reason = str(error) or type(error).__name__
            raise ServerRefused(f"{self._client.base_url} gives no answer to {method} {path}: {reason}") from None
        hint = "give `auth` an `apiToken`, or `username` and `password`" if answer.status_code == 401 else ""
        raise ServerRefused(
            f"{self._client.base_url} answers {method} {path} with {answer.status_code}: {_message(answer)}", hint=hint
        )

    def page(self, path: str, parameters: Mapping[str, Any], number: int, size: int) -> tuple[list[Any], int]:
        """Return a page of a search, first is 1, and how many there are in all."""
        found = self.call("GET", path, params={**parameters, "page": number, "size": size})
        return found["results"], found["total"]

    def pages(self, path: str, parameters: Mapping[str, Any], size: int = _PAGE) -> Iterator[Any]:
        """Yield all that a search finds."""
        number, seen = 1, 0
        while True:
            results, total = self.page(path, parameters, number, size)
            yield from results
            number, seen = number + 1, seen + len(results)
            if not results or seen >= total:
                return


def _message(answer: httpx.Response) -> str:
    """Return what an error answer says."""
    try:
        body = answer.json()
        return str(body["message"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:200] or answer.reason_phrase


class ServerTask(Task):
    """What tasks have in common that call a server."""

    kestra_url: Property[str] | None = Field(
        None, description="The address of the server; this one by default, if `kestra.url` is configured."
    )
    auth: Auth | None = Field(
        None, description="Who calls; say it once for all such tasks, as a default of `io.kestra.plugin.kestra`."
    )
    tenant_id: Property[str] | None = Field(None, description="Whose data it is about; this tenant's by default.")

    def server(self, context: RunContext) -> Server:
        """Return the server, to be used in a `with`.

        Raises:
            ServerUnknown: There is no address.
        """
        url = context.render(self.kestra_url) or (context.variables.get("kestra") or {}).get("url")
        if not url:
            hint = "give `kestraUrl`, or configure the address of this server as `kestra.url`"
            raise ServerUnknown("there is no address of a server", hint=hint)
        tenant = context.render(self.tenant_id) or (context.variables.get("flow") or {}).get("tenantId") or "main"
        auth = self.auth.rendered(context) if self.auth is not None else None
        return Server(http_client(context, base_url=str(url).rstrip("/"), auth=auth), str(tenant))
