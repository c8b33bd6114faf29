"""What `penstock test` does: collect suites and flows, run them, report."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from penstock.base.errors import InvalidRequestError, NotFoundError, PenstockError
from penstock.cli.errors import show_error, show_problems
from penstock.cli.loop import run as run_loop
from penstock.cli.options import configuration
from penstock.cli.run.given import environment, pairs
from penstock.cli.terminal import tell
from penstock.cli.test.collecting import Collection, collect
from penstock.cli.test.junit import junit
from penstock.cli.test.report import Report
from penstock.cli.test.session import run_suites
from penstock.services.unit_tests import SuiteResult, Verdict
from penstock.wiring.config import ConfigurationError
from penstock.wiring.flow_reading import FlowReading, plugin_defaults
from penstock.wiring.logs import configure_logs
from penstock.wiring.plugin_plan import plugin_plan
from penstock.wiring.plugins import load_plugins
from penstock.wiring.single_run import single_run_plan

PASSED = 0
FAILED = 1
INVALID = 2
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class SuiteOptions:
    """The command's options."""

    paths: tuple[Path, ...]
    folders: tuple[Path, ...]
    secrets: tuple[str, ...]
    env_files: tuple[Path, ...]
    config: Path | None
    only: str | None
    files: tuple[str, ...]
    junit: Path | None
    timeout: float
    verbose: bool


def perform(options: SuiteOptions) -> int:
    """Run test suites and return the exit code."""
    try:
        return _perform(options)
    except PenstockError as error:
        show_error(error)
        return INVALID if isinstance(error, InvalidRequestError | NotFoundError | ConfigurationError) else FAILED


def _perform(options: SuiteOptions) -> int:
    settings = configuration(options.config).settings
    configure_logs("ERROR", settings.logger)
    plugins = load_plugins(plan=plugin_plan(settings))
    core = settings.kestra
    reading = FlowReading(plugins.registry, plugin_defaults([*core.tasks.defaults, *core.plugins.defaults]))
    found = collect(options.paths, options.folders, reading)
    if not _is_sound(found):
        return INVALID
    suites = found.chosen(options.only)
    if not suites:
        hint = "a suite has `testCases`" if options.only is None else "check --only"
        raise NotFoundError("there are no tests here", hint=hint)
    report = Report(verbose=options.verbose)
    with tempfile.TemporaryDirectory(prefix="penstock-test-", ignore_cleanup_errors=True) as scratch:
        variables = environment(options.env_files, os.environ)
        plan = single_run_plan(settings, Path(scratch), None, variables, pairs(options.secrets, "--secret"))
        flows = [flow for flow in found.flows if not flow.parsed.errors]
        work = run_suites(
            plan, plugins, suites, flows, _folders(options.files), patience=options.timeout, ended=report.case
        )
        results = run_loop(work)
    if results is None:
        tell("interrupted")
        return INTERRUPTED
    report.close(results)
    if options.junit is not None:
        _write(options.junit, results)
    passed = all(result.verdict in (Verdict.SUCCESS, Verdict.SKIPPED) for result in results)
    return PASSED if passed else FAILED


def _is_sound(found: Collection) -> bool:
    """Return whether all suites can run; everything that is wrong is shown."""
    count = 0
    for file, whole, problems in found.problems():
        show_problems(problems, str(file), whole)
        count += len(problems)
    if count:
        tell(f"{count} {'error' if count == 1 else 'errors'}; no test was run")
    return not count


def _folders(texts: tuple[str, ...]) -> dict[str, Path]:
    found = {namespace: Path(path).expanduser() for namespace, path in pairs(texts, "--files").items()}
    for path in found.values():
        if not path.is_dir():
            raise NotFoundError(f"there is no folder {path}", hint="check the path given to --files")
    return found


def _write(path: Path, results: list[SuiteResult]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(junit(results), encoding="utf-8")
    except OSError as error:
        raise InvalidRequestError(f"cannot write {path}: {error.strerror or error}", hint="check --junit") from error
