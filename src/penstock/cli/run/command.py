"""The command `penstock run`. Implements BEY-030 in part."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penstock.cli.options import Config


def run(
    paths: Annotated[
        list[Path], typer.Argument(help="The flow to run; further files hold flows it calls.", metavar="FLOW...")
    ],
    inputs: Annotated[
        list[str] | None, typer.Option("--input", "-i", help="name=value; name=@file for a FILE input. Repeatable.")
    ] = None,
    input_files: Annotated[
        list[str] | None,
        typer.Option("--input-file", help="YAML or JSON map of inputs, or name=file for a FILE input."),
    ] = None,
    labels: Annotated[list[str] | None, typer.Option("--label", help="key=value. Repeatable.")] = None,
    secrets: Annotated[
        list[str] | None, typer.Option("--secret", help="name=value for secret('name'). Repeatable.")
    ] = None,
    env_file: Annotated[
        Path | None,
        typer.Option("--env-file", help="File with NAME=value lines, for ENV_... and SECRET_... variables."),
    ] = None,
    flows: Annotated[list[Path] | None, typer.Option("--flows", help="Folder with flows it calls. Repeatable.")] = None,
    data: Annotated[Path | None, typer.Option("--data", help="Keep database and files in this folder.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document: the execution and its logs.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
    config: Config = None,
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
    """
    from penstock.cli.run.perform import RunOptions, perform

    options = RunOptions(
        paths=tuple(paths),
        folders=tuple(flows or ()),
        inputs=tuple(inputs or ()),
        input_files=tuple(input_files or ()),
        labels=tuple(labels or ()),
        secrets=tuple(secrets or ()),
        env_file=env_file,
        data=data,
        config=config,
        as_json=as_json,
        quiet=quiet,
    )
    raise typer.Exit(perform(options))
