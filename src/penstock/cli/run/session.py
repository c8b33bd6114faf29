"""One run from start to end: application up, flows stored, execution created, followed, application down."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import structlog

from penstock.base.errors import NotFoundError
from penstock.cli.errors import show_problems
from penstock.cli.loop import on_stop_signals
from penstock.cli.run.display import Display
from penstock.cli.run.given import GivenInputs, read_pieces
from penstock.cli.run.history import LAST, RunHistory, SavedRun
from penstock.cli.run.sources import FlowSource
from penstock.cli.terminal import tell
from penstock.engine.events import Kill
from penstock.engine.fixtures import skipped_after
from penstock.engine.flow import ResolvedFlow
from penstock.engine.records import Execution, Fixtures, LogLine, TaskRun
from penstock.engine.replaying import replayed
from penstock.engine.states import StateType
from penstock.engine.working_set import ExecutionState
from penstock.services.executions import Launch, Upload, Watch
from penstock.services.executions.following import is_over
from penstock.wiring.application import TENANT, Application, flow_service
from penstock.wiring.core import Core, known_names
from penstock.wiring.plan import Plan
from penstock.wiring.plugins import Plugins

log = structlog.get_logger(__name__)
_PAUSE = 0.02
_REDRAW = 0.5
_KILL_PATIENCE = 15.0


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What to run."""

    flow: FlowSource
    others: Sequence[FlowSource] = ()
    """Flows it may call."""
    inputs: GivenInputs = field(default_factory=GivenInputs)
    labels: Mapping[str, str] = field(default_factory=dict)
    until: str | None = None
    """The last task to run."""
    begin_at: str | None = None
    """The first task to run; what came before is taken from an earlier run."""
    reuse: str = LAST
    """That earlier run."""


@dataclass(slots=True)
class Outcome:
    """How it went."""

    execution: Execution
    task_runs: Sequence[TaskRun] = ()
    logs: list[LogLine] = field(default_factory=list)
    interrupted: bool = False
    flow: ResolvedFlow | None = None

    @property
    def exit_code(self) -> int:
        """0 for SUCCESS and WARNING, 130 when interrupted, 1 for anything else."""
        if self.interrupted:
            return 130
        return 0 if self.execution.state.current in (StateType.SUCCESS, StateType.WARNING) else 1


class Session:
    """Runs one request on an application of its own.

    Args:
        plan: What the application is.
        plugins: The types there are.
        display: Where the run is shown.
        history: Where the run is kept for later ones.
    """

    def __init__(self, plan: Plan, plugins: Plugins, display: Display, history: RunHistory) -> None:
        self._history = history
        self._application = Application(plan, plugins=plugins)
        self._display = display
        self._interrupted = asyncio.Event()
        self._signals = 0

    async def run(self, request: RunRequest) -> Outcome:
        """Return how the run went.

        Raises:
            InvalidInputs: What is given does not fit the flow's inputs.
            PenstockError: The application cannot start, or a part of it died.
        """
        on_stop_signals(self.interrupt)
        await self._application.start()
        died = asyncio.ensure_future(self._application.failed())
        following = asyncio.ensure_future(self._execute(self._application.core, request))
        try:
            await asyncio.wait([died, following], return_when=asyncio.FIRST_COMPLETED)
            if died.done():
                raise died.result()
            outcome = await following
            await self._keep(self._application.core, outcome)
            return outcome
        finally:
            died.cancel()
            following.cancel()
            await asyncio.gather(died, following, return_exceptions=True)
            await self._application.stop(hurry=True)

    @property
    def is_interrupted(self) -> bool:
        """Whether the execution was to be killed, in time or not."""
        return self._interrupted.is_set()

    async def _keep(self, core: Core, outcome: Outcome) -> None:
        assert outcome.flow is not None
        try:
            await self._history.save(outcome.flow, outcome.execution, outcome.task_runs, core.storage)
        except OSError as error:
            log.info("run not kept", action="run.keep", reason=str(error))

    def interrupt(self, reason: str = "interrupted: killing the execution") -> None:
        """Have the execution killed; once more to cut short what that waits for."""
        self._signals += 1
        self._interrupted.set()
        if self._signals == 1:
            tell(reason)
        else:
            self._application.hurry()

    async def _execute(self, core: Core, request: RunRequest) -> Outcome:
        service = flow_service(core)
        for source in (*request.others, request.flow):
            stored = await service.put(TENANT, source.text)
        missing = await known_names(core).problems(TENANT, request.flow.parsed)
        show_problems(missing, str(request.flow.file), request.flow.whole)
        launch = Launch(
            TENANT,
            stored.namespace,
            stored.id,
            inputs=request.inputs.values,
            files={name: _upload(path) for name, path in request.inputs.files.items()},
            labels=tuple(request.labels.items()),
        )
        flow = await core.executions.flow(launch)
        if request.until is not None:
            launch = replace(launch, fixtures=Fixtures(skipped_after(flow, request.until), is_partial=True))
        earlier = None
        if request.begin_at is not None:
            earlier = self._history.find(request.reuse, flow.namespace, flow.id)
            launch = replace(launch, inputs={**earlier.inputs, **launch.inputs})
        prepared, reject = await core.executions.prepared(launch)
        runs: Sequence[TaskRun] = ()
        if earlier is not None and request.begin_at is not None:
            await self._history.restore(earlier, core.storage)
            prepared, runs = continued(flow, earlier, prepared, request.begin_at)
        with core.followers.watch(prepared.id, "execution", "logs") as watch:
            await core.dispatcher.create(prepared, reject=reject, runs=runs)
            return await self._follow(core, Outcome(prepared, flow=flow), watch)

    async def _follow(self, core: Core, outcome: Outcome, watch: Watch) -> Outcome:
        position, deadline, noticed = 0, float("inf"), False
        while True:
            began = time.monotonic()
            if self._interrupted.is_set() and not outcome.interrupted:
                outcome.interrupted, deadline = True, began + _KILL_PATIENCE
                await core.dispatcher.send(outcome.execution.id, Kill("penstock run"))
            found = await core.store.queries.get(TENANT, outcome.execution.id)
            if found is not None:
                outcome.execution, outcome.task_runs = found
            position = await self._show_new_lines(core, outcome, position)
            if is_over(outcome.execution) or began > deadline:
                self._display.close(outcome.execution, outcome.task_runs)
                return outcome
            if outcome.execution.state.current is StateType.PAUSED and not noticed:
                noticed = True
                tell("paused: it waits for a resume or a delay; Ctrl-C ends it")
            await asyncio.sleep(max(_PAUSE, 4 * (time.monotonic() - began)))
            await self._wake(watch)

    async def _wake(self, watch: Watch) -> None:
        """Wait for a change, for an interruption, or for the next redraw."""
        changed = asyncio.ensure_future(watch.changed(_REDRAW))
        waits: list[asyncio.Future[object]] = [changed]  # type: ignore[list-item]  # only waited for
        if self._signals == 0:
            waits.append(asyncio.ensure_future(self._interrupted.wait()))
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for waiting in waits:
            waiting.cancel()

    async def _show_new_lines(self, core: Core, outcome: Outcome, position: int) -> int:
        lines, position = await core.store.queries.logs_of(outcome.execution.id, after=position)
        outcome.logs.extend(lines)
        self._display.show(outcome.execution, outcome.task_runs, lines)
        return position


def continued(
    flow: ResolvedFlow, earlier: SavedRun, new: Execution, task_id: str
) -> tuple[Execution, Sequence[TaskRun]]:
    """Return an execution that begins at a task of an earlier run, with what it takes over.

    Raises:
        NotFoundError: The task did not run then.
    """
    run = next((one for one in earlier.task_runs if one.task_id == task_id), None)
    if run is None:
        ran = ", ".join(dict.fromkeys(one.task_id for one in earlier.task_runs))
        raise NotFoundError(f"the run {earlier.execution.id} has no task `{task_id}`", hint=f"begin at one of: {ran}")
    old = earlier.execution  # whose outputs may hold secrets that are still to be hidden
    new = msgspec.structs.replace(new, confidential=old.confidential, variables=old.variables)
    return replayed(flow, ExecutionState.of(old, earlier.task_runs), new, run.id, new.created)


def _upload(path: Path) -> Upload:
    return Upload(path.name, read_pieces(path), path.stat().st_size)
