"""Where a cluster is, and by what it lets one in."""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import httpx

from penstock.builtin.runners.runner import RunnerError

_PROGRAM_SECONDS = 60
_MARGIN = 30
"""Seconds before its end from which on a token is not used any more."""


class TokenSource(Protocol):
    """Gives the token that a cluster knows one by."""

    def token(self, *, is_refused: bool) -> str:
        """Return the token; another one than before when that was refused."""
        ...


@dataclass(frozen=True, slots=True)
class KnownToken:
    """A token that stays."""

    text: str = field(repr=False)

    def token(self, *, is_refused: bool) -> str:
        """Return it."""
        return self.text


@dataclass(frozen=True, slots=True)
class TokenFile:
    """A token in a file, which others renew, such as that of a pod's service account."""

    path: Path

    def token(self, *, is_refused: bool) -> str:
        """Return what the file holds now."""
        try:
            return self.path.read_text().strip()
        except OSError as error:
            raise RunnerError(f"the token of the cluster cannot be read: {error}", hint="see the kubeconfig") from None


class ProgramToken:
    """A token that a program gives, as those of clouds do for `kubectl`.

    Args:
        wish: The `exec` of a user in a kubeconfig.
    """

    def __init__(self, wish: Mapping[str, Any]) -> None:
        self._wish = wish
        self._lock = threading.Lock()
        self._known: tuple[str, float] | None = None

    def token(self, *, is_refused: bool) -> str:
        """Return the token that is known, or ask the program for one."""
        with self._lock:
            if self._known is None or is_refused or self._known[1] < time.time() + _MARGIN:
                self._known = self._ask()
            return self._known[0]

    def _ask(self) -> tuple[str, float]:
        command: Sequence[str] = [str(self._wish["command"]), *map(str, self._wish.get("args") or ())]
        version = str(self._wish.get("apiVersion", "client.authentication.k8s.io/v1"))
        asked = {"apiVersion": version, "kind": "ExecCredential", "spec": {"interactive": False}}
        variables = {str(one["name"]): str(one["value"]) for one in self._wish.get("env") or ()}
        environment = {**os.environ, **variables, "KUBERNETES_EXEC_INFO": json.dumps(asked)}
        try:
            done = subprocess.run(  # noqa: S603 - the worker's own kubeconfig names it
                command, env=environment, capture_output=True, timeout=_PROGRAM_SECONDS, check=True
            )
            status = json.loads(done.stdout)["status"]
            end = status.get("expirationTimestamp")
            return str(status["token"]), datetime.fromisoformat(end).timestamp() if end else float("inf")
        except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError) as error:
            reason = type(error).__name__ if isinstance(error, ValueError | KeyError | TypeError) else str(error)
            raise RunnerError(
                f"`{command[0]}`, which the kubeconfig names, gives no token: {reason}", hint="run it on the worker"
            ) from None


@dataclass(frozen=True, slots=True)
class Access:
    """A cluster, and by what it lets one in.

    Args:
        server: The address of its API.
        namespace: The namespace that is used where nobody names one.
        authority: The certificate that its own is checked by, as PEM; those of the machine by default.
        is_checked: Whether its certificate is checked.
        known_as: The name in its certificate, where it is not that of the address.
        certificate: Our certificate, as PEM.
        key: The key of it, as PEM.
        tokens: What gives our token.
        login: Our name and password.
    """

    server: str
    namespace: str | None = None
    authority: str | None = None
    is_checked: bool = True
    known_as: str | None = None
    certificate: str | None = None
    key: str | None = field(default=None, repr=False)
    tokens: TokenSource | None = field(default=None, repr=False)
    login: tuple[str, str] | None = field(default=None, repr=False)

    def tls(self) -> ssl.SSLContext:
        """Return what makes its connections safe.

        Raises:
            RunnerError: A certificate cannot be read.
        """
        try:
            context = ssl.create_default_context(cadata=self.authority)
            if not self.is_checked:
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            if self.certificate and self.key:
                with tempfile.TemporaryDirectory(prefix="penstock-") as folder:  # it is read from files only
                    pair = Path(folder, "certificate.pem"), Path(folder, "key.pem")
                    for path, text in zip(pair, (self.certificate, self.key), strict=True):
                        path.touch(mode=0o600)
                        path.write_text(text)
                    context.load_cert_chain(*pair)
        except (ssl.SSLError, ValueError) as error:
            raise RunnerError(
                f"a certificate of the connection to the cluster cannot be read: {error}",
                hint="give `caCertData`, `clientCertData` and `clientKeyData` as in the kubeconfig",
            ) from None
        return context

    def authorization(self, *, is_refused: bool = False) -> str | None:
        """Return what says who we are; another answer than before when that was refused."""
        if self.tokens is not None:
            return f"Bearer {self.tokens.token(is_refused=is_refused)}"
        if self.login is not None:
            return "Basic " + base64.b64encode(":".join(self.login).encode()).decode()
        return None


class Authorization(httpx.Auth):
    """Says who we are, once more when that is refused: tokens end."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request with what says who we are."""
        for is_refused in (False, True):
            known = self._access.authorization(is_refused=is_refused)
            if known is not None:
                request.headers["Authorization"] = known
            response = yield request
            if response.status_code != httpx.codes.UNAUTHORIZED:
                return


def pem(text: str) -> str:
    """Return a certificate or a key as PEM; kubeconfigs hold it in Base64.

    Raises:
        RunnerError: It is neither.
    """
    if "-----BEGIN" in text:
        return text.strip() + "\n"
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except ValueError:
        raise RunnerError(
            "a certificate or key of the connection to the cluster is neither PEM nor Base64",
            hint="take the value as it stands in the kubeconfig",
        ) from None
