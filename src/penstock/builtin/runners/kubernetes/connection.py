"""How a flow says which cluster is meant: `config` of the task runner. Implements SCR-076, SCR-083."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

from pydantic import AliasChoices, Field

from penstock.builtin.runners.kubernetes.access import Access, KnownToken, TokenSource, pem
from penstock.builtin.runners.kubernetes.kubeconfig import known_access
from penstock.builtin.runners.runner import RunnerError
from penstock.sdk import PluginModel, Property, RunContext, duration

_SECOND = 1_000_000


class OauthTokenProvider(PluginModel):
    """What renews the token of a cluster."""

    task: dict[str, Any] = Field(description="A task that runs whenever a token is needed; it needs no `id`.")
    output: Property[str] = Field(description="The token, as an expression over the outputs of that task.")
    cache: Property[str] = Field(
        Property.of("PT5M"), description="How long a token is used; `PT0S` asks for one each time."
    )


class Connection(PluginModel):
    """A cluster, and by what it lets one in."""

    master_url: Property[str] | None = Field(
        None, description="The address of the cluster's API, `server` in a kubeconfig; by default the worker's cluster."
    )
    ca_cert_data: Property[str] | None = Field(
        None,
        validation_alias=AliasChoices("caCertData", "caCert"),
        description="The certificate that the cluster's own is checked by: `certificate-authority-data`.",
    )
    client_cert_data: Property[str] | None = Field(
        None,
        validation_alias=AliasChoices("clientCertData", "clientCert"),
        description="The certificate of the user: `client-certificate-data`.",
    )
    client_key_data: Property[str] | None = Field(
        None,
        validation_alias=AliasChoices("clientKeyData", "clientKey"),
        description="The key of that certificate: `client-key-data`.",
    )
    oauth_token: Property[str] | None = Field(None, description="The token of the user: `token`.")
    oauth_token_provider: OauthTokenProvider | None = Field(
        None, description="What gives tokens, for tasks that run longer than a token is good."
    )
    username: Property[str] | None = Field(
        None, description="The user; counts together with `password` only, else the token or certificate tells."
    )
    password: Property[str] | None = Field(None, description="The user's password.")
    trust_certs: Property[bool] = Field(
        Property.of(False), description="Do not check the cluster's certificate. Anybody may pose as it then."
    )


def access_of(context: RunContext, connection: Connection | None) -> Access:
    """Return the cluster a flow means: what it does not say is as the worker knows it.

    Raises:
        RunnerError: Nobody names a cluster.
    """
    known = known_access() if connection is None or connection.master_url is None else Access("")
    if known is None:
        raise RunnerError(
            "no cluster is named",
            hint="set `config` of the task runner, or give the worker a kubeconfig or a service account",
        )
    return known if connection is None else _completed(context, connection, known)


def _completed(context: RunContext, connection: Connection, known: Access) -> Access:
    changes: dict[str, Any] = {
        "server": context.render(connection.master_url),
        "authority": _pem(context, connection.ca_cert_data),
        "certificate": _pem(context, connection.client_cert_data),
        "key": _pem(context, connection.client_key_data),
        "tokens": _tokens(context, connection),
        "login": _login(context, connection),
    }
    if context.render(connection.trust_certs):
        changes["is_checked"] = False
    if changes["key"]:
        context.mask(changes["key"])
    return replace(known, **{name: value for name, value in changes.items() if value is not None})


def _pem(context: RunContext, value: Property[str] | None) -> str | None:
    text = context.render(value)
    return pem(text) if text else None


def _tokens(context: RunContext, connection: Connection) -> TokenSource | None:
    if connection.oauth_token_provider is not None:
        return ProvidedToken(context, connection.oauth_token_provider)
    token = context.render(connection.oauth_token)
    if not token:
        return None
    context.mask(token)
    return KnownToken(token.strip())


def _login(context: RunContext, connection: Connection) -> tuple[str, str] | None:
    username, password = context.render(connection.username), context.render(connection.password)
    if not username or not password:
        return None
    context.mask(password)
    return username, password


class ProvidedToken:
    """A token that a task gives."""

    def __init__(self, context: RunContext, provider: OauthTokenProvider) -> None:
        self._context = context
        self._provider = provider
        self._seconds = duration(context.render(provider.cache)) / _SECOND
        self._lock = threading.Lock()
        self._known: tuple[str, float] | None = None

    def token(self, *, is_refused: bool) -> str:
        """Return the token that is known, or run the task for another."""
        with self._lock:
            if self._known is None or is_refused or self._known[1] <= time.monotonic():
                self._known = self._ask(), time.monotonic() + self._seconds
            return self._known[0]

    def _ask(self) -> str:
        outputs = self._context.outputs_of(self._provider.task)
        token = self._context.render_text(str(self._provider.output.raw), outputs).strip()
        if not token:
            raise RunnerError(
                "`oauthTokenProvider` gives no token", hint="see `output`, an expression over the outputs of its task"
            )
        self._context.mask(token)
        return token
