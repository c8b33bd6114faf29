"""A whole server within the test's own loop: real SQLite, executor and worker, reached without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast

import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI

from penstock.api import ApiSettings, Services, create_api
from penstock.base.clock import SystemClock
from penstock.ports.secrets import SecretManager
from penstock.secrets import GivenSecrets
from penstock.services.auth import AuthService, Credentials, ServiceAccounts, Tokens
from penstock.services.encryption import Encryption
from penstock.services.executions import Following
from penstock.services.executor import Limits
from penstock.services.worker import Worker
from penstock.wiring.core import Core, open_core
from penstock.wiring.plan import Plan, Role
from penstock.wiring.plugin_plan import PluginPlan
from penstock.wiring.plugins import load_plugins
from penstock.wiring.services import api_services
from tests.support.waiting import PATIENCE

USER = Credentials("ada@example.com", "Secret1234")
QUICK_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
BASIC = httpx.BasicAuth(USER.username, USER.password)


@dataclass(frozen=True, slots=True)
class LiveServer:
    """A running server and a client that is logged in by header."""

    app: FastAPI
    client: httpx.AsyncClient
    services: Services
    core: Core

    @asynccontextmanager
    async def visitor(self, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
        """Give a client that is not logged in."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://server", **options) as client:
            yield client

    async def flow(self, source: str) -> dict[str, Any]:
        """Create a flow."""
        answer = await self.client.post("/api/v1/main/flows", content=source)
        assert answer.status_code == 200, answer.text
        return _json(answer)

    async def run(self, flow_id: str, **options: Any) -> dict[str, Any]:
        """Execute a flow of namespace `team` and wait for its end."""
        params = {"wait": "true", **options.pop("params", {})}
        answer = await self.client.post(f"/api/v1/main/executions/team/{flow_id}", params=params, **options)
        assert answer.status_code == 200, answer.text
        return _json(answer)

    async def start(self, flow_id: str, **options: Any) -> dict[str, Any]:
        """Start a flow of namespace `team`."""
        answer = await self.client.post(f"/api/v1/main/executions/team/{flow_id}", **options)
        assert answer.status_code == 200, answer.text
        return _json(answer)

    async def until(self, execution_id: str, *states: str) -> dict[str, Any]:
        """Return the execution once it is in one of the states."""
        async with asyncio.timeout(PATIENCE):
            while True:
                body = _json(await self.client.get(f"/api/v1/main/executions/{execution_id}"))
                if body["state"]["current"] in states:
                    return body
                await asyncio.sleep(0.01)


async def _ready(ready: asyncio.Event, running: asyncio.Task[None]) -> None:
    """Wait for an executor, or raise what it has died of."""
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait([waiting, running], return_when=asyncio.FIRST_COMPLETED)
    if not ready.is_set():
        waiting.cancel()
        running.result()
        raise AssertionError("the executor has ended before it was ready")


class _Served:
    """Stands in for a service of whatever server an application serves at the moment."""

    def __init__(self, application: _Application, name: str) -> None:
        self._application = application
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if self._application.serves is None:  # routes that keep a method: it is looked up whenever it is called
            return lambda *values, **named: getattr(self, attribute)(*values, **named)
        return getattr(getattr(self._application.serves, self._name), attribute)


class _Application:
    """An application that serves one server after another: putting its routes together costs more than the rest."""

    def __init__(self, settings: ApiSettings) -> None:
        self.settings = settings
        self.serves: Services | None = None
        names = [field.name for field in fields(Services) if field.name != "routers"]
        self.app = create_api(Services(**{name: cast("Any", _Served(self, name)) for name in names}), settings)


_idle: list[_Application] = []


@contextmanager
def _application(services: Services, settings: ApiSettings) -> Iterator[FastAPI]:
    """Lend an application with these settings to a server."""
    found = next((one for one in _idle if one.settings == settings), None)
    if found is None:
        found = _Application(settings)
    else:
        _idle.remove(found)
    found.serves = services
    try:
        yield found.app
    finally:
        found.serves = None
        _idle.append(found)


def _json(answer: httpx.Response) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    return body


@asynccontextmanager
async def live_server(
    folder: Path,
    *,
    credentials: Credentials | None = USER,
    database: str | None = None,
    change: Callable[[ApiSettings], ApiSettings] = lambda settings: settings,
    secrets: Mapping[str, str] | None = None,
    system_namespace: str = "system",
    limits: Limits | None = None,
    encryption: Encryption | None = None,
    secret_manager: SecretManager | None = None,
    admission: Mapping[str, int] | None = None,
    plugin_configurations: Mapping[str, Mapping[str, Any]] | None = None,
    templates: bool = False,
    managed_plugins: Path | None = None,
) -> AsyncIterator[LiveServer]:
    """Run a server with its files in a folder.

    Args:
        folder: Where database and storage live.
        credentials: The configured account; None leaves the server to be set up.
        database: The database's address; a file in the folder by default.
        change: Changes settings of the API.
        secrets: Secrets by name.
        system_namespace: The namespace of the instance's own flows.
        limits: Limits of pools and namespaces.
        encryption: Encrypts secrets that are kept.
        secret_manager: Keeps them elsewhere.
        admission: The most open executions of namespaces.
        plugin_configurations: What is configured for plugins, by type.
        templates: Whether there are templates.
        managed_plugins: Where plugins with environments of their own are.
    """
    plan = Plan(
        roles=frozenset({Role.EXECUTOR, Role.WORKER}),
        database=database or f"sqlite:///{folder / 'penstock.db'}",
        storage=folder / "storage",
        secrets=(GivenSecrets(secrets or {}),),
        system_namespace=system_namespace,
        limits=limits or Limits(),
        encryption=encryption,
        secret_encryption=encryption,
        secret_manager=secret_manager,
        admission=admission or {},
        plugin_configurations=plugin_configurations or {},
        templates=templates,
        plugins=PluginPlan(managed_plugins),
    )
    clock = SystemClock()
    plugins = load_plugins()
    core = await open_core(plan, plugins, clock)
    tokens = Tokens(core.store.tokens, clock)
    accounts = ServiceAccounts(core.store.documents, tokens, clock)
    auth = AuthService(core.store.settings, tokens, accounts, clock, configured=credentials, hasher=QUICK_HASHER)
    await auth.open()
    following = Following(core.store.queries, core.followers, poll=1.0, pause=0.01)
    services = api_services(core, auth, following=following)
    assert core.executor is not None
    worker = Worker(core.gateway, core.plugins.registry, plan.worker, clock, tally=core.tallies.worker)
    async with core.gateway:
        tasks = [
            asyncio.create_task(core.executor.run(), name="executor"),
            asyncio.create_task(core.followers.run(), name="followers"),
            asyncio.create_task(core.catalog.follow(core.store.notifier), name="catalog"),
        ]
        await _ready(core.executor.ready, tasks[0])
        working = asyncio.create_task(worker.run(), name="worker")  # when those of an earlier process are given up
        settings = change(ApiSettings(version="1.2.3", keep_alive=0.2))
        with _application(services, settings) as app:
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://server", auth=BASIC) as client:
                yield LiveServer(app, client, services, core)
        worker.stop()
        await working
        core.executor.stop()
        await tasks[0]
    for task in tasks[1:]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await core.store.close()
