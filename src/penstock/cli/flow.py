"""`penstock flow`: flow files. Implements OPS-112 in part (`validate`), BEY-033, BEY-072."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penstock.cli.options import Config

app = typer.Typer(no_args_is_help=True, help="Work with flow files.", rich_markup_mode=None)


@app.callback()
def _group() -> None:
    pass


@app.command("validate")
def validate(
    paths: Annotated[list[Path], typer.Argument(help="Flow files, or folders of them.", metavar="PATH...")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the problems as JSON.")] = False,
    server: Annotated[str | None, typer.Option("--server", help="Have this server check, with its plugins.")] = None,
    user: Annotated[str | None, typer.Option("--user", help="user:password for --server.")] = None,
    tenant: Annotated[str, typer.Option("--tenant", help="The tenant on the server.")] = "main",
    config: Config = None,
) -> None:
    """Check flow files: structure, types, properties, expressions and references, all problems of all files at once.

    Exit code: 0 when there are no errors (warnings do not count), 1 otherwise.

    \b
    Examples:
      penstock flow validate hello.yaml
      penstock flow validate flows/ --json
      penstock flow validate flows/ --server http://localhost:8080 --user me@example.com:secret
    """
    from penstock.cli.remote import Address, Remote
    from penstock.cli.validating import validate_files, validate_on_server

    if server is None:
        raise typer.Exit(validate_files(paths, config, as_json=as_json))
    with Remote(Address.of(server, user, tenant), login_hint="give --user name:password") as remote:
        raise typer.Exit(validate_on_server(paths, remote, as_json=as_json))
