"""The command `penstock test`. Implements BEY-031."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penstock.cli.options import Local
from penstock.cli.spread import spread


@spread
def run_tests(
    paths: Annotated[
        list[Path], typer.Argument(help="Folders or files with test suites and the flows they test.", metavar="DIR...")
    ],
    local: Local,
    only: Annotated[
        str | None, typer.Option("--only", "-k", help="Run only cases whose `suite.case` contains this text.")
    ] = None,
    files: Annotated[
        list[str] | None,
        typer.Option("--files", help="namespace=folder: namespace files, for fileURI(). Repeatable."),
    ] = None,
    junit: Annotated[Path | None, typer.Option("--junit", help="Write the results to this file as JUnit XML.")] = None,
    timeout: Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds that a case may take.")] = 300.0,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show the logs of cases that passed, too.")] = False,
) -> None:
    """Run the test suites of flows here and now, with stand-ins for tasks, files and triggers; no server needed.

    Exit code: 0 when all cases passed, 1 when one did not, 2 when a suite or its flow is invalid (nothing ran), 130
    when interrupted.

    \b
    Examples:
      penstock test flows/
      penstock test flows/ tests/ --junit results.xml
      penstock test flows/ -k my_suite.my_case --secret API_KEY=none
    """
    from penstock.cli.test.perform import SuiteOptions, perform

    options = SuiteOptions(
        paths=tuple(paths),
        folders=tuple(local.flows or ()),
        secrets=tuple(local.secrets or ()),
        env_files=tuple(local.env_files or ()),
        config=local.config,
        only=only,
        files=tuple(files or ()),
        junit=junit,
        timeout=timeout,
        verbose=verbose,
    )
    raise typer.Exit(perform(options))
