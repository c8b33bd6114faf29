"""What `penstock run` does: read the flows, run the one asked for, report."""

from __future__ import annotations

import asyncio
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.base.clock import SystemClock
from penstock.base.errors import InvalidRequestError, NotFoundError, PenstockError
from penstock.cli.errors import show_error, show_problems
from penstock.cli.loop import on_stop_signals
from penstock.cli.loop import run as run_loop
from penstock.cli.options import configuration
from penstock.cli.run.display import Display, Live, Plain, Silent
from penstock.cli.run.given import environment, given_inputs, pairs
from penstock.cli.run.history import LAST, RunHistory, runs_folder
from penstock.cli.run.session import Outcome, RunRequest, Session
from penstock.cli.run.sources import FlowSource, read_flows
from penstock.cli.terminal import is_terminal, say, tell
from penstock.model.problems import Severity
from penstock.wiring.config import ConfigurationError, Settings
from penstock.wiring.flow_reading import FlowReading, plugin_defaults
from penstock.wiring.logs import configure_logs
from penstock.wiring.plugin_plan import plugin_plan
from penstock.wiring.plugins import Plugins, load_plugins
from penstock.wiring.single_run import single_run_plan

FAILED = 1
INVALID = 2
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The command's options."""

    paths: tuple[Path, ...]
    folders: tuple[Path, ...] = ()
    inputs: tuple[str, ...] = ()
    input_files: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    env_files: tuple[Path, ...] = ()
    data: Path | None = None
    config: Path | None = None
    as_json: bool = False
    quiet: bool = False
    until: str | None = None
    begin_at: str | None = None
    reuse: str = LAST


class InvalidFlowFile(InvalidRequestError):
    """The flow to run has errors; they have been shown."""

    code = "INVALID_FLOW"


def perform(options: RunOptions) -> int:
    """Run a flow and return the exit code."""
    return run_loop(_perform(options, None))


def watch_and_run(options: RunOptions) -> int:
    """Run a flow, and again each time one of its files is saved, until interrupted; return the exit code."""
    return run_loop(_watch(options))


async def _watch(options: RunOptions) -> int:
    from watchfiles import awatch

    inputs = [Path(text.rpartition("=")[2].removeprefix("@")) for text in (*options.inputs, *options.input_files)]
    files = [*options.paths, *options.folders, *options.env_files, *(path for path in inputs if path.is_file())]
    # An editor may replace a file by another one, which only its folder tells.
    watched = {path if path.is_dir() else path.absolute().parent for path in files}
    mine = {str(path.absolute()) for path in files}
    changed, stopped = asyncio.Event(), asyncio.Event()

    async def follow() -> None:
        async for changes in awatch(*watched, recursive=True, stop_event=stopped):
            if any(path in mine or any(path.startswith(f"{one}{os.sep}") for one in mine) for _, path in changes):
                changed.set()

    following = asyncio.ensure_future(follow())
    try:
        while True:
            changed.clear()
            code = await _perform(options, changed)
            if changed.is_set():
                continue
            if code == INTERRUPTED:
                return code
            on_stop_signals(stopped.set)
            tell("watching for changes; Ctrl-C ends it")
            waits = [asyncio.ensure_future(changed.wait()), asyncio.ensure_future(stopped.wait())]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
            if stopped.is_set():
                return code
    finally:
        stopped.set()
        await following


async def _perform(options: RunOptions, changed: asyncio.Event | None) -> int:
    """Run once; `changed` kills the run."""
    try:
        outcome = await _run(options, changed)
    except PenstockError as error:
        show_error(error)
        return INVALID if isinstance(error, InvalidRequestError | NotFoundError | ConfigurationError) else FAILED
    if options.as_json:
        say(_json(outcome))
    return outcome.exit_code


async def _run(options: RunOptions, changed: asyncio.Event | None) -> Outcome:
    settings = configuration(options.config).settings
    configure_logs("OFF" if options.quiet else "ERROR", settings.logger)
    plugins = load_plugins(plan=plugin_plan(settings))
    request = _request(options, settings, plugins)
    variables = environment(options.env_files, os.environ)
    secrets = pairs(options.secrets, "--secret")
    with tempfile.TemporaryDirectory(prefix="penstock-run-", ignore_cleanup_errors=True) as scratch:
        plan = single_run_plan(settings, Path(scratch), options.data, variables, secrets)
        session = Session(plan, plugins, _display(options), RunHistory(runs_folder(os.environ)))
        if changed is None:
            return await session.run(request)
        cutting = asyncio.ensure_future(_cut(session, changed))
        try:
            outcome = await session.run(request)
        finally:
            cutting.cancel()
        outcome.interrupted = session.is_interrupted  # at whatever moment: it ends the watching too
        return outcome


async def _cut(session: Session, changed: asyncio.Event) -> None:
    await changed.wait()
    session.interrupt("a file was saved: killing the execution")


def _request(options: RunOptions, settings: Settings, plugins: Plugins) -> RunRequest:
    core = settings.kestra
    reading = FlowReading(plugins.registry, plugin_defaults([*core.tasks.defaults, *core.plugins.defaults]))
    found = read_flows(options.paths[:1], reading)
    if not found:
        raise NotFoundError(f"there is no flow in {options.paths[0]}", hint="name a file that ends in .yml or .yaml")
    first, *more = found
    others = [*more, *read_flows([*options.paths[1:], *options.folders], reading)]
    _check(first)
    return RunRequest(
        flow=first,
        others=[one for one in others if one.text != first.text and _usable(one)],
        inputs=given_inputs(options.inputs, options.input_files),
        labels=pairs(options.labels, "--label"),
        until=options.until,
        begin_at=options.begin_at,
        reuse=options.reuse,
    )


def _check(flow: FlowSource) -> None:
    """Show what is wrong with the flow to run.

    Raises:
        InvalidFlowFile: It has errors.
    """
    shown = [problem for problem in flow.parsed.problems if problem.severity is not Severity.INFO]
    show_problems(shown, str(flow.file), flow.whole)
    count = len(flow.parsed.errors)
    if count:
        raise InvalidFlowFile(f"{flow.file} has {count} {'error' if count == 1 else 'errors'}; it was not run")


def _usable(flow: FlowSource) -> bool:
    """Return whether a further flow can be called; its errors are shown, and only matter when it is called."""
    show_problems(flow.parsed.errors, str(flow.file), flow.whole)
    return not flow.parsed.errors


def _display(options: RunOptions) -> Display:
    if options.quiet or options.as_json:
        return Silent()
    return Live(SystemClock()) if is_terminal() else Plain(SystemClock())


def _json(outcome: Outcome) -> str:
    """Return the execution in the shape of the API, with its logs."""
    from penstock.api.render.executions import render_execution
    from penstock.api.render.logs import render_log
    from penstock.base.codec import to_json_text

    document: dict[str, Any] = render_execution(outcome.execution, SystemClock().now(), outcome.task_runs)
    document["logs"] = [render_log(line) for line in outcome.logs]
    return to_json_text(document)
