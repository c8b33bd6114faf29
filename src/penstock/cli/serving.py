"""Running a server from the command line: configuration, logs, start, signals, end.

The first SIGTERM or SIGINT lets running tasks end within the grace period; the second cuts that short; the third leaves
at once (what was running is given to somebody else, as after a crash).
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from penstock.base.errors import PenstockError
from penstock.cli.loop import on_stop_signals, run
from penstock.cli.options import Common, configuration, use_plugins
from penstock.cli.terminal import tell
from penstock.wiring.config import Configuration
from penstock.wiring.config.settings import Logger
from penstock.wiring.config.sources import keep_whole
from penstock.wiring.local import data_folder, ensure_key, local_defaults
from penstock.wiring.logs import configure_logs
from penstock.wiring.plan import Plan, Role
from penstock.wiring.planning import plan_of
from penstock.wiring.server import Server

log = structlog.get_logger(__name__)
_LEAVE = 130


@dataclass(frozen=True, slots=True)
class Start:
    """A start of a server, with the options all components share."""

    common: Common

    def local(
        self,
        roles: Collection[Role],
        *,
        data: Path | None,
        port: int | None,
        host: str | None,
        flow_path: Path | None,
        threads: int | None,
    ) -> None:
        """Start everything on an embedded database, or all but a worker."""
        folder = data_folder(data)
        ensure_key(folder)
        found = self._configuration(local_defaults(folder), port, host)
        plan = plan_of(
            found.settings,
            roles,
            data=folder,
            threads=threads,
            flow_path=flow_path,
            generate_credentials=True,
            management_is_required=found.is_given("endpoints.all.port"),
        )
        self._run(found, plan)

    def component(
        self,
        roles: Collection[Role],
        *,
        port: int | None = None,
        host: str | None = None,
        flow_path: Path | None = None,
        threads: int | None = None,
        worker_group: str = "",
    ) -> None:
        """Start components on the configured database."""
        found = self._configuration({}, port, host)
        if set(roles) == {Role.INDEXER}:
            run(_idle())
            return
        plan = plan_of(
            found.settings,
            roles,
            threads=threads,
            flow_path=flow_path,
            worker_group=worker_group,
            management_is_required=found.is_given("endpoints.all.port"),
        )
        self._run(found, plan)

    def remote_worker(self, url: str, token_file: Path | None, *, threads: int | None, group: str) -> None:
        """Start a worker that reaches its server over HTTP (BEY-010)."""
        from penstock.wiring.remote_worker import RemoteWorker, read_token

        found = self._configuration({}, None, None)
        worker = RemoteWorker(url, read_token(token_file, os.environ), found.settings, threads=threads, group=group)
        run(_serve(worker, teller(found.settings.logger)))

    def _configuration(self, defaults: dict[str, Any], port: int | None, host: str | None) -> Configuration:
        common = self.common
        use_plugins(common.plugins)
        overrides = {"micronaut.server.port": port, "micronaut.server.host": host}
        found = configuration(common.config, defaults=defaults, overrides=overrides)
        level = ("INFO", "DEBUG", "TRACE")[min(common.verbose, 2)] if common.verbose else common.log_level
        configure_logs(level, found.settings.logger, libraries=common.internal_log)
        return found

    def _run(self, found: Configuration, plan: Plan) -> None:
        from penstock.wiring.application import Application

        if found.settings.kestra.configurations.delete_files_on_start:
            for file in found.files:
                file.unlink(missing_ok=True)
        else:
            keep_whole(os.environ, Path("confs"))
        run(_serve(Application(plan, tell=tell), teller(found.settings.logger)))


async def _idle() -> None:
    stopped = asyncio.Event()
    on_stop_signals(stopped.set)  # before the word that it runs, so that a stop right after it is a polite one
    tell("the database is searched as it is: an indexer has nothing to do")
    await stopped.wait()


def teller(settings: Logger) -> Callable[[str], None]:
    """Return what tells of the server's course: a line for people, a record where programs read the logs (OPS-105)."""
    return partial(log.info, action="server.course") if settings.format == "json" else tell


async def _serve(server: Server, told: Callable[[str], None]) -> None:
    """Start a server, wait for a signal or a failure, stop it.

    Raises:
        PenstockError: Why it could not start, or which part of it died.
    """
    began = time.perf_counter()
    wanted = asyncio.Event()
    count = 0

    def asked() -> None:
        nonlocal count
        count += 1
        wanted.set()
        if count == 1:
            told("stopping: running tasks may end (once more to cut short, a third time to leave at once)")
        elif count == 2:
            server.hurry()
        else:
            os._exit(_LEAVE)

    on_stop_signals(asked)
    await server.start()
    told(f"{server.describe()} (ready after {time.perf_counter() - began:.1f} s)")
    stop = asyncio.ensure_future(wanted.wait())
    failed = asyncio.ensure_future(server.failed())
    await asyncio.wait([stop, failed], return_when=asyncio.FIRST_COMPLETED)
    failure: PenstockError | None = failed.result() if failed.done() else None
    for task in (stop, failed):
        task.cancel()
    await server.stop(hurry=failure is not None)
    if failure is not None:
        raise failure
    told("stopped")
