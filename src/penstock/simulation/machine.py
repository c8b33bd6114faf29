"""One machine of a simulation: a process with the product's own objects in it, built as a server builds them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context, copy_context
from pathlib import Path
from typing import Protocol, TypeVar

import httpx

from penstock.base.clock import SECOND, Instant, Micros
from penstock.base.errors import UnavailableError
from penstock.ports.objects import ObjectStorage
from penstock.services.gateway.http import HttpGateway
from penstock.services.worker import Worker, WorkerSettings
from penstock.simulation.disk import Line, SimulatedDatabase
from penstock.simulation.loop import PROCESS, Process, SimulatedLoop
from penstock.simulation.scenario import MachineSpec
from penstock.simulation.threads import SimulatedThreads
from penstock.simulation.wire import TOKEN, App, Exchange, Wire, app_for_workers
from penstock.store.store import Store
from penstock.wiring.application import build_scheduler
from penstock.wiring.core import Core, build_core
from penstock.wiring.plan import Plan, Role
from penstock.wiring.plugins import Plugins

T = TypeVar("T")
BEGINNING: Instant = 1_717_243_200 * SECOND
"""2024-06-01T12:00:00Z."""
_PATIENCE = 30.0
_NOWHERE = Path("/nonexistent/simulation")


class MachineClock:
    """A machine's clock, which may be off.

    Args:
        loop: The true time.
        skew: How far it is off.
    """

    def __init__(self, loop: SimulatedLoop, skew: Micros) -> None:
        self._loop = loop
        self._skew = skew

    def now(self) -> Instant:
        """Return what the machine takes for the present."""
        return BEGINNING + self._loop.now + self._skew


class Surroundings(Protocol):
    """What a machine stands in."""

    loop: SimulatedLoop
    threads: SimulatedThreads
    plugins: Plugins
    has_remote_workers: bool

    def database(self, line: Line, crash: Callable[[str], None]) -> SimulatedDatabase:
        """Return a process's way to the database."""
        ...

    def store(self, database: SimulatedDatabase) -> Store:
        """Return the stores behind it."""
        ...

    def storage(self, line: Line) -> ObjectStorage:
        """Return a process's way to the files."""
        ...

    def wire(self, line: Line, crash: Callable[[str], None]) -> Wire:
        """Return a process's way to the web servers."""
        ...

    def tell(self, who: str, what: str, about: str = "") -> None:
        """Add a line to the story."""
        ...

    def broken(self, who: str, error: BaseException) -> None:
        """Note that a service died of something nobody foresaw."""
        ...


class Unreachable(UnavailableError):
    """The machine is down, or went down before it answered."""

    code = "UNREACHABLE"


class Machine:
    """A machine that can be started, ended and started again.

    Args:
        spec: What it is.
        surroundings: What it stands in.
        is_embedded: Whether it has the database for itself.
    """

    def __init__(self, spec: MachineSpec, surroundings: Surroundings, *, is_embedded: bool) -> None:
        self.name = spec.name
        self.roles = spec.roles
        self.line = Line()
        self.knows_token = True
        """Whether it takes a worker that shows the token for a worker; as of the next start."""
        self._is_remote = spec.is_remote
        self._around = surroundings
        self._skew = spec.skew
        self._is_embedded = is_embedded
        self._process: Process | None = None
        self._context: Context | None = None
        self._core: Core | None = None
        self._app: App | None = None
        self._stopping = asyncio.Event()
        self._starts = 0

    @property
    def is_up(self) -> bool:
        """Whether its process lives."""
        return self._process is not None and self._process.is_alive

    def start(self) -> None:
        """Start its process."""
        self._starts += 1
        self._process = process = self._around.loop.process(self.name)
        self._context = copy_context()
        self._context.run(PROCESS.set, process)
        self._stopping = asyncio.Event()
        self._core = self._app = None
        self._around.tell(self.name, "starts")
        self._around.loop.create_task(self._live(process), name=self.name, context=self._context)

    def crash(self, why: str) -> None:
        """End its process at once."""
        if self._process is not None and self._process.is_alive:
            self._around.tell(self.name, f"ends at once ({why})")
            self._around.loop.end(self._process)
            self.line.traps.clear()

    def stop(self) -> None:
        """Ask its process to end in good order."""
        self._around.tell(self.name, "is asked to stop")
        self._stopping.set()

    def stand_still(self, until: Micros) -> None:
        """Let its process do nothing for a while; its clock goes on."""
        if self._process is not None:
            self._process.still_until = until

    async def ask(self, work: Callable[[Core], Awaitable[T]]) -> T:
        """Have a request served by the machine.

        Raises:
            Unreachable: It gave no answer; whether it did what was asked is not known.
        """
        if not self.is_up or self._core is None or self._context is None:
            raise Unreachable(f"{self.name} is down")

        task = self._around.loop.create_task(_served(work, self._core), name="request", context=self._context)
        await asyncio.wait([task], timeout=_PATIENCE)
        if not task.done():
            raise Unreachable(f"{self.name} gave no answer")
        return task.result()

    async def answer(self, exchange: Exchange, patience: float) -> None:
        """Answer a request of a worker; raises `httpx.TransportError` when there is no answer."""
        process, app = self._process, self._app
        if process is None or not process.is_alive or app is None or self._context is None:
            raise httpx.ConnectError(f"{self.name} is down")
        loop = self._around.loop
        work = _answered(app, exchange)
        serving = loop.create_task(work, name="request of a worker", context=self._context)
        ended = loop.create_task(process.ended.wait())
        try:
            await asyncio.wait([serving, ended], timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
        if not serving.done():
            raise httpx.ReadError(f"{self.name} gave no answer")
        if (error := serving.exception()) is not None:
            self._around.broken(self.name, error)

    # -- inside the process

    async def _live(self, process: Process) -> None:
        clock = MachineClock(self._around.loop, self._skew)
        try:
            if self._is_remote:
                await self._work_far_away(clock)
            else:
                await self._serve(self._built(clock), clock)
            self._around.tell(self.name, "has stopped")
        except UnavailableError as error:
            self._around.tell(self.name, f"gives up: {error}")
        except Exception as error:
            self._around.broken(self.name, error)
        self._around.loop.end(process)

    def _built(self, clock: MachineClock) -> Core:
        database = self._around.database(self.line, self.crash)
        store, storage = self._around.store(database), self._around.storage(self.line)
        core = build_core(self._plan(), self._around.plugins, clock, store, storage)
        database.executor = core.executor.name if core.executor is not None else ""
        return core

    async def _work_far_away(self, clock: MachineClock) -> None:
        """Be a worker that knows nothing but the address of the servers."""
        wire = self._around.wire(self.line, self.crash)
        client = httpx.AsyncClient(transport=wire, base_url="http://penstock", trust_env=False)
        registry, settings = self._around.plugins.registry, self._plan().worker
        worker = Worker(HttpGateway(client, TOKEN), registry, settings, clock, machinery=self._around.threads)
        working = self._around.loop.create_task(worker.run())
        stopping = self._around.loop.create_task(self._stopping.wait())
        await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
        worker.stop()
        await working

    async def _serve(self, core: Core, clock: MachineClock) -> None:
        """Start the services in the order in which a server does, and stop them in its order."""
        loop = self._around.loop
        services: dict[str, asyncio.Task[None]] = {
            "catalog": loop.create_task(core.catalog.follow(core.store.notifier)),
            "followers": loop.create_task(core.followers.run()),
        }
        async with core.gateway, core.remote_gateway:
            if core.executor is not None:
                services["executor"] = loop.create_task(core.executor.run())
                if self._is_embedded:
                    ready = loop.create_task(core.executor.ready.wait())
                    await asyncio.wait([ready, services["executor"]], return_when=asyncio.FIRST_COMPLETED)
            worker = scheduler = None
            if Role.WORKER in self.roles:
                settings = core.plan.worker
                worker = Worker(core.gateway, core.plugins.registry, settings, clock, machinery=self._around.threads)
                services["worker"] = loop.create_task(worker.run())
            if Role.SCHEDULER in self.roles:
                scheduler = build_scheduler(core)
                services["scheduler"] = loop.create_task(scheduler.run())
            self._core = core
            if self._around.has_remote_workers and Role.WEBSERVER in self.roles:
                self._app = app_for_workers(core.remote_gateway, [TOKEN] if self.knows_token else ["another"])
            stopping = loop.create_task(self._stopping.wait())
            done, _ = await asyncio.wait([stopping, *services.values()], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            self._core = self._app = None
            if scheduler is not None:
                scheduler.stop()
                await services["scheduler"]
            if worker is not None:
                worker.stop()
                await services["worker"]
            if core.executor is not None:
                core.executor.stop()
                await services["executor"]

    def _plan(self) -> Plan:
        return Plan(
            roles=self.roles,
            database="sqlite://" if self._is_embedded else "postgresql://",
            storage=_NOWHERE,
            worker=WorkerSettings(
                threads=2, grace=8 * SECOND, sure_for=10 * SECOND, environment={}, directory=_NOWHERE
            ),
            worker_timeout=15 * SECOND,
        )


async def _answered(app: App, exchange: Exchange) -> None:
    await app(exchange.scope, exchange.receive, exchange.send)


async def _served(work: Callable[[Core], Awaitable[T]], core: Core) -> T:
    return await work(core)
