"""One run of test suites: application up, flows and files stored, suites run, application down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from penstock.cli.loop import on_stop_signals
from penstock.cli.run.sources import FlowSource
from penstock.model.suites import SuiteDocument
from penstock.services.unit_tests import CaseResult, SuiteResult
from penstock.wiring.application import TENANT, Application, flow_service
from penstock.wiring.core import Core
from penstock.wiring.plan import Plan
from penstock.wiring.plugins import Plugins
from penstock.wiring.unit_tests import unit_tests

Tell = Callable[[SuiteDocument, CaseResult], None]


async def run_suites(
    plan: Plan,
    plugins: Plugins,
    suites: Sequence[SuiteDocument],
    flows: Sequence[FlowSource],
    files: Mapping[str, Path],
    *,
    patience: float,
    ended: Tell,
) -> list[SuiteResult] | None:
    """Return how the suites went; None when interrupted.

    Args:
        plan: What the application is.
        plugins: The types there are.
        suites: What to run.
        flows: The flows they test, and those these call.
        files: Folders of namespace files by namespace.
        patience: Seconds that a case may take.
        ended: Told of each case as it ends.

    Raises:
        PenstockError: The application cannot start, or a part of it died.
    """
    interrupted = asyncio.Event()
    on_stop_signals(interrupted.set)
    application = Application(plan, plugins=plugins)
    await application.start()
    work = asyncio.ensure_future(_run(application.core, suites, flows, files, patience, ended))
    died = asyncio.ensure_future(application.failed())
    stopped = asyncio.ensure_future(interrupted.wait())
    try:
        await asyncio.wait([work, died, stopped], return_when=asyncio.FIRST_COMPLETED)
        if died.done():
            raise died.result()
        return await work if work.done() else None
    finally:
        for task in (work, died, stopped):
            task.cancel()
        await asyncio.gather(work, died, stopped, return_exceptions=True)
        await application.stop(hurry=True)


async def _run(
    core: Core,
    suites: Sequence[SuiteDocument],
    flows: Sequence[FlowSource],
    files: Mapping[str, Path],
    patience: float,
    ended: Tell,
) -> list[SuiteResult]:
    service = flow_service(core)
    for source in flows:
        await service.put(TENANT, source.text)
    for namespace, folder in files.items():
        for path in sorted(one for one in folder.rglob("*") if one.is_file()):
            await core.namespace_files.put(TENANT, namespace, path.relative_to(folder).as_posix(), path.read_bytes())
    tests = unit_tests(core, patience=patience)

    async def run(suite: SuiteDocument) -> SuiteResult:
        return await tests.run(TENANT, suite, ended=lambda result: ended(suite, result))

    return await asyncio.gather(*(run(suite) for suite in suites))
