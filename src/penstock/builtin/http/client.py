"""The HTTP client of a task, made from its options."""

from __future__ import annotations

from typing import Any

import httpx

from penstock.builtin.http.options import HttpAuth, HttpOptions, HttpProxy
from penstock.sdk import PluginError, RunContext
from penstock.sdk.http import known_authorities

_CONNECT = 10.0
_IDLE = 300.0


class HttpOptionsError(PluginError):
    """The options do not fit together."""

    code = "HTTP_OPTIONS_INVALID"


class Bearer(httpx.Auth):
    """Sends a token with every request to the same origin."""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Any:
        """Add the token."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


def make_client(context: RunContext, options: HttpOptions, auth: HttpAuth | None) -> httpx.Client:
    """Return a client as the options say; `auth` is the task's own property, which comes after `options.auth`."""
    insecure = options.ssl is not None and context.render(options.ssl.insecure_trust_all_certificates, False)
    return httpx.Client(
        auth=_auth(context, options, auth),
        verify=False if insecure else known_authorities(),
        follow_redirects=context.render(options.follow_redirects),
        timeout=_timeout(context, options),
        default_encoding=context.render(options.default_charset),
        proxy=_proxy(context, options.proxy),
        trust_env=options.proxy is None,
    )


def _auth(context: RunContext, options: HttpOptions, auth: HttpAuth | None) -> httpx.Auth | None:
    auth = options.auth or auth
    if auth is None:
        if options.basic_auth_user is None:
            return None
        return httpx.BasicAuth(context.render(options.basic_auth_user), context.render(options.basic_auth_password, ""))
    if auth.type == "BEARER":
        return Bearer(context.render(auth.token, ""))
    kind = httpx.BasicAuth if auth.type == "BASIC" else httpx.DigestAuth
    return kind(context.render(auth.username, ""), context.render(auth.password, ""))


def _timeout(context: RunContext, options: HttpOptions) -> httpx.Timeout:
    timeout = options.timeout
    connect = (timeout and timeout.connect_timeout) or options.connect_timeout
    idle = (timeout and timeout.read_idle_timeout) or options.read_timeout or options.read_idle_timeout
    connect_seconds = _CONNECT if connect is None else context.render(connect).total_seconds()
    idle_seconds = _IDLE if idle is None else context.render(idle).total_seconds()
    return httpx.Timeout(idle_seconds, connect=connect_seconds)


def _proxy(context: RunContext, proxy: HttpProxy | None) -> httpx.Proxy | None:
    if proxy is None or proxy.type == "DIRECT":
        return None
    if proxy.type == "SOCKS":
        raise HttpOptionsError("proxies of type SOCKS are not supported", hint="use an HTTP proxy")
    if proxy.address is None or proxy.port is None:
        raise HttpOptionsError("`options.proxy` needs `address` and `port`")
    user = context.render(proxy.username)
    return httpx.Proxy(
        f"http://{context.render(proxy.address)}:{context.render(proxy.port)}",
        auth=None if user is None else (user, context.render(proxy.password, "")),
    )
