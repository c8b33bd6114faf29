"""The application: the objects of a plan, started in order, supervised, stopped in order.

Implements OPS-001 to OPS-005, OPS-127, OPS-134, ENG-010.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import structlog

from penstock.base.clock import Clock, SystemClock
from penstock.services.alerts import TriggerAlerts, keep_telling
from penstock.services.auth import AuthService, Credentials, ServiceAccounts, Tokens
from penstock.services.executor import Executor
from penstock.services.flows import FlowChecker, FlowService
from penstock.services.jq_process import JqProcesses
from penstock.services.retention import keep_small
from penstock.services.scheduler import Scheduler, SchedulerSettings
from penstock.services.scheduler.conditions import Conditions
from penstock.services.scheduler.firing import Firing
from penstock.services.scheduler.scheduler import Stores
from penstock.services.worker import Worker
from penstock.store.upgrading import upgrade
from penstock.wiring.core import Core, open_core
from penstock.wiring.expressions import set_up_expressions
from penstock.wiring.flow_folders import FlowFolders
from penstock.wiring.lock import DatabaseLock
from penstock.wiring.orphans import end_orphans
from penstock.wiring.plan import Plan, Role
from penstock.wiring.plugins import Plugins, load_plugins
from penstock.wiring.process import settle
from penstock.wiring.retention import retention_service
from penstock.wiring.supervisor import ServiceDied, Supervisor

if TYPE_CHECKING:
    from penstock.wiring.web import Web

log = structlog.get_logger(__name__)
TENANT = "main"
_RETENTION = "retention"
_ALERTS = "alerts"
"""Whoever holds the partition of this name removes what is old: one server of a database."""
_AUDITOR = "auditor"
GENERATED_USER = "admin@localhost.local"
"""The account that the first start of `server local` makes."""
Tell = Callable[[str], None]
"""Shows a line to whoever started the server."""


class Application:
    """One process of a server, or a whole one.

    Args:
        plan: What it is to be.
        clock: The time.
        plugins: The types; those installed by default.
        tell: Shows what must be read once (generated credentials).
    """

    def __init__(
        self, plan: Plan, *, clock: Clock | None = None, plugins: Plugins | None = None, tell: Tell = lambda line: None
    ) -> None:
        self._plan = plan
        self._clock: Clock = clock or SystemClock()
        self._plugins = plugins
        self._tell = tell
        self._supervisor = Supervisor()
        self._core: Core | None = None
        self._worker: Worker | None = None
        self._scheduler: Scheduler | None = None
        self._web: Web | None = None
        self._gateways = AsyncExitStack()
        self._lock: DatabaseLock | None = None
        self._jq: JqProcesses | None = None

    @property
    def core(self) -> Core:
        """What the roles stand on; there once started."""
        assert self._core is not None, "the application has not been started"
        return self._core

    @property
    def port(self) -> int | None:
        """The port the web server listens on."""
        return self._web.port if self._web is not None else None

    # -- start

    async def start(self) -> None:
        """Start everything; whatever was started is stopped again when something fails.

        Raises:
            PenstockError: Why it cannot start.
        """
        try:
            await self._start()
        except BaseException:
            await self.stop(hurry=True)
            raise

    async def _start(self) -> None:
        plan = self._plan
        self._jq = set_up_expressions(plan.expressions)
        plugins = self._plugins or load_plugins(plan=plan.plugins)
        for broken in plugins.broken:
            log.warning("plugin left out", action="plugins.load", plugin=broken.name, reason=broken.reason)
        serves_api = Role.WEBSERVER in plan.roles
        if serves_api or plan.http.management_port is not None:
            from penstock.wiring.web import Web  # not needed by `penstock run`, and slow to import

            self._web = Web(plan.http, serves_api=serves_api)
        if (lock := DatabaseLock.of(plan.database)) is not None:
            lock.acquire()
            self._lock = lock
            if plan.upgrades:
                await asyncio.to_thread(self._upgrade)
        self._core = core = await open_core(plan, plugins, self._clock)
        self._supervisor.start("flow changes", core.catalog.follow(core.store.notifier))
        self._supervisor.start("namespace changes", core.known_namespaces.follow(core.store.notifier))
        self._supervisor.start("execution changes", core.followers.run())
        await self._gateways.enter_async_context(core.gateway)
        if plan.http.worker_tokens:
            await self._gateways.enter_async_context(core.remote_gateway)
        if core.executor is not None:
            self._supervisor.start("executor", core.executor.run())
            self._start_retention(core, core.executor)
            self._start_alerts(core, core.executor)
            assert core.auditor is not None
            self._supervisor.start(_AUDITOR, core.auditor.run())
            if plan.is_embedded:
                await self._or_failure(core.executor.ready)  # it voids what earlier workers of this database held
        if Role.WORKER in plan.roles:
            await end_orphans()
            self._start_worker(core)
        await self._load_flows(core)
        if Role.SCHEDULER in plan.roles:
            self._start_scheduler(core)
        if self._web is not None:
            await self._start_web(core, self._web)
        settle()

    def _upgrade(self) -> None:
        if (done := upgrade(self._plan.database, self._clock.now())) is not None:
            log.warning("database upgraded", action="schema.upgrade", before=done.before, copy=str(done.copy))
            self._tell(str(done))

    def _start_worker(self, core: Core) -> None:
        self._worker = Worker(
            core.gateway, core.plugins.registry, core.plan.worker, self._clock, tally=core.tallies.worker
        )
        self._supervisor.start("worker", self._worker.run())

    def _start_retention(self, core: Core, executor: Executor) -> None:
        plan = core.plan.retention
        if plan is not None:
            retention = retention_service(core.store, core.storage, core.clock, plan.policy)
            work = keep_small(retention, TENANT, plan.wait, plan.every, lambda: executor.owns(_RETENTION))
            self._supervisor.start(_RETENTION, work)

    def _start_alerts(self, core: Core, executor: Executor) -> None:
        plan = core.plan.alerts
        if plan is not None:
            from penstock.services.http_alerts import HttpAlerts  # its library is slow to import

            sender, store = HttpAlerts(plan.url), core.store
            alerts = TriggerAlerts(store.triggers, store.settings, sender, core.clock, plan.kinds)
            self._supervisor.start(_ALERTS, keep_telling(alerts, plan.every, lambda: executor.owns(_ALERTS)))

    def _start_scheduler(self, core: Core) -> None:
        self._scheduler = build_scheduler(core)
        self._supervisor.start("scheduler", self._scheduler.run())

    async def _start_web(self, core: Core, web: Web) -> None:
        await web.open(core, await self._open_accounts(core) if Role.WEBSERVER in core.plan.roles else None)
        for name, work in web.services():
            self._supervisor.start(name, work)

    async def _open_accounts(self, core: Core) -> AuthService:
        tokens = Tokens(core.store.tokens, self._clock)
        accounts = ServiceAccounts(core.store.documents, tokens, self._clock)
        auth = AuthService(core.store.settings, tokens, accounts, self._clock, configured=core.plan.credentials)
        await auth.open()
        if core.plan.generate_credentials and (made := await auth.generate(GENERATED_USER)) is not None:
            self._tell_credentials(made)
        for problem in auth.problems:
            log.warning("configured credentials refused", action="auth.open", problem=problem)
        return auth

    def _tell_credentials(self, made: Credentials) -> None:
        self._tell(f"Log in as {made.username} with the password {made.password} (shown this once)")

    async def _load_flows(self, core: Core) -> None:
        """Store the flows of folders (ENG-010), and keep in step with those that are watched (ENG-012)."""
        plan, service = core.plan, flow_service(core)
        if plan.flow_path is not None:
            await FlowFolders(service, TENANT, [plan.flow_path]).load()
        if plan.watched_flows and Role.EXECUTOR in plan.roles:
            watched = FlowFolders(service, TENANT, plan.watched_flows)
            await watched.load()
            self._supervisor.start("flow files", watched.follow())

    async def _or_failure(self, event: asyncio.Event) -> None:
        """Wait for an event, but no longer than the services live."""
        wanted = asyncio.ensure_future(event.wait())
        failed = asyncio.ensure_future(self._supervisor.failed())
        try:
            done, _ = await asyncio.wait([wanted, failed], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (wanted, failed):
                task.cancel()
        if failed in done:
            raise failed.result()

    # -- life and end

    def describe(self) -> str:
        """Return what runs where."""
        roles = ", ".join(sorted(self._plan.roles))
        return roles if self.port is None or self._web is None else f"{roles} at {self._web.url}"

    async def failed(self) -> ServiceDied:
        """Wait until a part of the application dies, and return how."""
        return await self._supervisor.failed()

    def hurry(self) -> None:
        """Cut short what a stop waits for."""
        if self._worker is not None:
            self._supervisor.expect_end("worker")
            self._worker.stop()
            self._worker.stop()

    async def stop(self, *, hurry: bool = False) -> None:
        """Stop in order: no new requests and dates, running tasks to their end, what is left handed back."""
        if self._web is not None:
            self._supervisor.expect_end(*self._web.names)
            if self._core is not None:
                self._core.followers.leave()
            self._web.stop()
            for name in self._web.names:
                await self._supervisor.stop(name)
            self._web.close()
        if self._scheduler is not None:
            self._supervisor.expect_end("scheduler")
            self._scheduler.stop()
            await self._supervisor.stop("scheduler")
        if self._worker is not None:
            self._supervisor.expect_end("worker")
            self._worker.stop()
            if hurry:
                self._worker.stop()
            await self._supervisor.stop("worker")
        core, self._core = self._core, None
        if core is not None:
            await self._close(core)
        if self._jq is not None:
            self._jq.close()
        if self._lock is not None:
            self._lock.release()

    async def _close(self, core: Core) -> None:
        for name in (_RETENTION, _ALERTS, _AUDITOR):
            await self._supervisor.stop(name, cancel=True)
        if core.executor is not None:
            self._supervisor.expect_end("executor")
            core.executor.stop()
            await self._supervisor.stop("executor")
        await self._gateways.aclose()
        for name in ("flow files", "execution changes", "namespace changes", "flow changes"):
            await self._supervisor.stop(name, cancel=True)
        core.plugins.close()
        await core.store.close()


def build_scheduler(core: Core) -> Scheduler:
    """Return the scheduler of a process."""
    store = core.store
    return Scheduler(
        Stores(
            store.flows,
            store.triggers,
            store.journal,
            store.queries,
            store.notifier,
            store.jobs,
            store.evaluations,
            store.switches,
        ),
        core.catalog,
        core.reading.triggers,
        Firing(core.executions, core.functions.answer, core.plan.shared),
        core.followers,
        core.clock,
        SchedulerSettings(recovery=core.plan.recovery),
        Conditions(core.reading.condition, core.plan.shared, core.functions.answer),
        core.tallies.scheduler,
    )


def flow_service(core: Core) -> FlowService:
    """Return the use cases of flows."""
    checker = FlowChecker(core.store.flows, core.plugins.registry, defaults=core.reading.levels)
    return FlowService(core.store.flows, checker, core.catalog, core.store.notifier, core.clock)
