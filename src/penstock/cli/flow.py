"""`penstock flow`: flow files, here and on a server.

Implements OPS-112, BEY-033, BEY-072, IAC-060 in part, IAC-066.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penstock.cli import flow_api
from penstock.cli.options import Config, Local
from penstock.cli.spread import spread

app = typer.Typer(no_args_is_help=True, help="Work with flow files.", rich_markup_mode=None)

File = Annotated[Path, typer.Argument(help="The file with the flow.", metavar="FILE")]


@app.callback()
def _group() -> None:
    pass


app.add_typer(flow_api.app)


@app.command("validate")
def validate(
    paths: Annotated[list[Path], typer.Argument(help="Flow files, or folders of them.", metavar="PATH...")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the problems as JSON.")] = False,
    local: Annotated[bool, typer.Option("--local", help="Check here; so it is without --server.")] = False,
    server: Annotated[str | None, typer.Option("--server", help="Have this server check, with its plugins.")] = None,
    user: Annotated[str | None, typer.Option("--user", help="user:password for --server.")] = None,
    api_token: Annotated[str | None, typer.Option("--api-token", help="API token for --server, instead.")] = None,
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
    from penstock.cli.options import Api
    from penstock.cli.validating import validate_files, validate_on_server

    if local or server is None:
        raise typer.Exit(validate_files(paths, config, as_json=as_json))
    with Api(server, user, api_token, tenant).remote() as remote:
        raise typer.Exit(validate_on_server(paths, remote, as_json=as_json))


@app.command("expand")
def expand(file: File) -> None:
    """Print a flow with all that it includes by `[[> path]]`.

    \b
    Example:
      penstock flow expand my-flow.yaml
    """
    from penstock.cli.including import expanded
    from penstock.cli.terminal import say

    say(expanded(file).removesuffix("\n"))


@app.command("dot")
def dot(file: File) -> None:
    """Print a flow as a graph in the DOT language.

    \b
    Example:
      penstock flow dot my-flow.yaml | dot -Tsvg > my-flow.svg
    """
    from penstock.base.errors import InvalidRequestError
    from penstock.cli.drawing import dot as as_dot
    from penstock.cli.including import expanded
    from penstock.cli.terminal import say
    from penstock.model.yaml import read_yaml
    from penstock.services.graphs import draw

    data = read_yaml(expanded(file)).data
    if not isinstance(data, dict) or not isinstance(data.get("tasks"), list):
        raise InvalidRequestError(f"{file} holds no flow", hint="`penstock flow validate` says what is wrong with it")
    say(as_dot(f"{data.get('namespace')}.{data.get('id')}", draw(data)))


@app.command("test")
@spread
def run_here(
    file: File,
    local: Local,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME VALUE]...", help="Inputs; of a FILE input, the absolute path of the file."),
    ] = None,
) -> None:
    """Run a flow here, without a server; `penstock run` does the same, and more.

    \b
    Example:
      penstock flow test my-flow.yaml name Ada rows /tmp/rows.csv
    """
    from penstock.base.errors import InvalidRequestError
    from penstock.cli.run.perform import RunOptions, perform

    words = inputs or []
    if len(words) % 2:
        raise InvalidRequestError(f"there is no value for input `{words[-1]}`", hint="give names and values in turn")
    options = RunOptions(
        paths=(file,),
        folders=tuple(local.flows or ()),
        inputs=tuple(f"{name}={_given(value)}" for name, value in zip(words[::2], words[1::2], strict=True)),
        secrets=tuple(local.secrets or ()),
        env_files=tuple(local.env_files or ()),
        config=local.config,
    )
    raise typer.Exit(perform(options))


def _given(value: str) -> str:
    path = Path(value)
    return f"@{value}" if path.is_absolute() and path.is_file() else value
