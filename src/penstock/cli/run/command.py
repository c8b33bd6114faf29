"""The command `penstock run`. Implements BEY-030."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penstock.cli.options import Local
from penstock.cli.spread import spread


@spread
def run(
    paths: Annotated[
        list[Path], typer.Argument(help="The flow to run; further files hold flows it calls.", metavar="FLOW...")
    ],
    local: Local,
    inputs: Annotated[
        list[str] | None, typer.Option("--input", "-i", help="name=value; name=@file for a FILE input. Repeatable.")
    ] = None,
    input_files: Annotated[
        list[str] | None,
        typer.Option("--input-file", help="YAML or JSON map of inputs, or name=file for a FILE input."),
    ] = None,
    labels: Annotated[list[str] | None, typer.Option("--label", help="key=value. Repeatable.")] = None,
    data: Annotated[Path | None, typer.Option("--data", help="Keep database and files in this folder.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document: the execution and its logs.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
    until: Annotated[str | None, typer.Option("--until", help="Stop after this task.")] = None,
    begin_at: Annotated[
        str | None, typer.Option("--from", help="Begin at this task, with the outputs of an earlier run.")
    ] = None,
    reuse: Annotated[str, typer.Option("--reuse", help="The earlier run: an execution id, or `last`.")] = "last",
    watch: Annotated[bool, typer.Option("--watch", help="Run again each time a file is saved.")] = False,
) -> None:
    """Run a flow here and now, with the same engine a server has.

    Exit code: 0 when the execution ends in SUCCESS or WARNING; 1 when it ends FAILED, KILLED or CANCELLED;
    2 when the flow or an input is invalid; 130 when interrupted (the execution is killed, its processes are ended).

    \b
    Examples:
      penstock run hello.yaml
      penstock run hello.yaml --input name=Ada --label team=data
      penstock run report.yaml --input data=@rows.csv --secret API_KEY=s3cret
      penstock run parent.yaml --flows flows/ --json > result.json
      penstock run etl.yaml --from transform --until load
      penstock run etl.yaml --watch --env-file .env
    """
    from penstock.cli.run.perform import RunOptions, perform, watch_and_run

    options = RunOptions(
        paths=tuple(paths),
        folders=tuple(local.flows or ()),
        inputs=tuple(inputs or ()),
        input_files=tuple(input_files or ()),
        labels=tuple(labels or ()),
        secrets=tuple(local.secrets or ()),
        env_files=tuple(local.env_files or ()),
        data=data,
        config=local.config,
        as_json=as_json,
        quiet=quiet,
        until=until,
        begin_at=begin_at,
        reuse=reuse,
    )
    raise typer.Exit(watch_and_run(options) if watch else perform(options))
