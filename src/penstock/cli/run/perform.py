"""What `penstock run` does: read the flows, run the one asked for, report."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.base.clock import SystemClock
from penstock.base.errors import InvalidRequestError, NotFoundError, PenstockError
from penstock.cli.errors import show_error, show_problems
from penstock.cli.loop import run as run_loop
from penstock.cli.options import configuration
from penstock.cli.run.display import Display, Live, Plain, Silent
from penstock.cli.run.given import environment_file, given_inputs, pairs
from penstock.cli.run.session import Outcome, RunRequest, Session
from penstock.cli.run.sources import FlowSource, read_flows
from penstock.cli.terminal import is_terminal, say
from penstock.model.problems import Severity
from penstock.wiring.config import ConfigurationError, Settings
from penstock.wiring.flow_reading import FlowReading, plugin_defaults
from penstock.wiring.logs import configure_logs
from penstock.wiring.plugins import Plugins, load_plugins
from penstock.wiring.single_run import single_run_plan

FAILED = 1
INVALID = 2


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The command's options."""

    paths: tuple[Path, ...]
    folders: tuple[Path, ...]
    inputs: tuple[str, ...]
    input_files: tuple[str, ...]
    labels: tuple[str, ...]
    secrets: tuple[str, ...]
    env_file: Path | None
    data: Path | None
    config: Path | None
    as_json: bool
    quiet: bool


class InvalidFlowFile(InvalidRequestError):
    """The flow to run has errors; they have been shown."""

    code = "INVALID_FLOW"


def perform(options: RunOptions) -> int:
    """Run a flow and return the exit code."""
    try:
        outcome = _run(options)
    except PenstockError as error:
        show_error(error)
        return INVALID if isinstance(error, InvalidRequestError | NotFoundError | ConfigurationError) else FAILED
    if options.as_json:
        say(_json(outcome))
    return outcome.exit_code


def _run(options: RunOptions) -> Outcome:
    settings = configuration(options.config).settings
    configure_logs("OFF" if options.quiet else "ERROR", settings.logger)
    plugins = load_plugins()
    request = _request(options, settings, plugins)
    environment = dict(os.environ)
    if options.env_file is not None:
        environment.update(environment_file(options.env_file))
    secrets = pairs(options.secrets, "--secret")
    with tempfile.TemporaryDirectory(prefix="penstock-run-", ignore_cleanup_errors=True) as scratch:
        plan = single_run_plan(settings, Path(scratch), options.data, environment, secrets)
        return run_loop(Session(plan, plugins, _display(options)).run(request))


def _request(options: RunOptions, settings: Settings, plugins: Plugins) -> RunRequest:
    core = settings.kestra
    reading = FlowReading(plugins.registry, plugin_defaults([*core.tasks.defaults, *core.plugins.defaults]))
    first, *more = read_flows(options.paths[:1], reading)
    others = [*more, *read_flows([*options.paths[1:], *options.folders], reading)]
    _check(first)
    return RunRequest(
        flow=first,
        others=[one for one in others if one.text != first.text and _usable(one)],
        inputs=given_inputs(options.inputs, options.input_files),
        labels=pairs(options.labels, "--label"),
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
