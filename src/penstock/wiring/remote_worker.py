"""A worker alone, anywhere: it reaches its server by outbound HTTPS. Implements BEY-010."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import httpx

from penstock.base.clock import SystemClock
from penstock.base.errors import PenstockError, UnavailableError
from penstock.services.gateway.http import HttpGateway, TokenRefused
from penstock.services.jq_process import JqProcesses
from penstock.services.worker import Worker
from penstock.wiring.config import ConfigurationError, Settings
from penstock.wiring.expressions import expression_plan, set_up_expressions
from penstock.wiring.orphans import end_orphans
from penstock.wiring.planning import worker_settings
from penstock.wiring.plugin_plan import plugin_plan
from penstock.wiring.plugins import load_plugins
from penstock.wiring.supervisor import Supervisor

TOKEN_VARIABLE = "PENSTOCK_WORKER_TOKEN"  # noqa: S105  # the name of a variable


def read_token(file: Path | None, environment: Mapping[str, str]) -> str:
    """Return the worker's token from a file, or from the environment.

    Raises:
        ConfigurationError: There is none.
    """
    try:
        token = (file.read_text(encoding="utf-8") if file else environment.get(TOKEN_VARIABLE, "")).strip()
    except OSError as error:
        raise ConfigurationError(f"the token file {file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise ConfigurationError(
            f"the token file {file} is no text", hint="it holds the token and nothing else"
        ) from None
    if not token:
        raise ConfigurationError(
            "the worker has no token",
            hint=f"give --token-file or {TOKEN_VARIABLE}, with one of the server's kestra.worker.tokens",
        )
    return token


class RemoteWorker:
    """A worker with its connection to the server."""

    def __init__(self, url: str, token: str, settings: Settings, *, threads: int | None, group: str) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._settings = worker_settings(settings, threads, group)
        self._supervisor = Supervisor()
        self._client: httpx.AsyncClient | None = None
        self._worker: Worker | None = None
        self._expressions = expression_plan(settings)
        self._jq: JqProcesses | None = None
        self._plugins = load_plugins(plan=plugin_plan(settings))

    async def start(self) -> None:
        """Start working; the server need not answer yet.

        Raises:
            PenstockError: The server refuses the token.
        """
        self._client = httpx.AsyncClient(base_url=self._url)
        gateway = HttpGateway(self._client, self._token)
        try:
            await gateway.now()  # says at once when address or token are wrong
        except TokenRefused:
            await self._client.aclose()
            raise
        except UnavailableError as error:
            await self._client.aclose()
            raise UnavailableError(f"the server at {self._url} does not answer", hint="check --server-url") from error
        except PenstockError:
            await self._client.aclose()
            raise
        self._jq = set_up_expressions(self._expressions)
        await end_orphans()
        self._worker = Worker(gateway, self._plugins.registry, self._settings, SystemClock())
        self._supervisor.start("worker", self._worker.run())

    def describe(self) -> str:
        """Return what runs where."""
        return f"worker for {self._url} with {self._settings.threads} threads"

    async def failed(self) -> PenstockError:
        """Wait until the worker dies, and return how."""
        return await self._supervisor.failed()

    def hurry(self) -> None:
        """Cut short what a stop waits for."""
        if self._worker is not None:
            self._worker.stop()

    async def stop(self, *, hurry: bool = False) -> None:
        """Let running tasks end, hand back the rest."""
        if self._worker is not None:
            self._supervisor.expect_end("worker")
            self._worker.stop()
            if hurry:
                self._worker.stop()
            await self._supervisor.stop("worker")
        self._plugins.close()
        if self._jq is not None:
            self._jq.close()
        if self._client is not None:
            await self._client.aclose()
