"""`penstock ctl secrets`: secrets of namespaces. Implements ENG-374 on the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from penstock.cli.ctl.options import Given, connect, output_of, remember
from penstock.cli.spread import spread

app = typer.Typer(no_args_is_help=True, help="Set and delete secrets; no value is ever shown.", rich_markup_mode=None)
app.callback()(remember)

Namespace = Annotated[str, typer.Argument(help="The secret's namespace.", show_default=False)]
Key = Annotated[str, typer.Argument(help="Its name.", show_default=False)]


@app.command("list")
@spread
def list_secrets(
    ctx: typer.Context,
    given: Given,
    namespace: Annotated[str | None, typer.Argument(help="Only secrets of this namespace.")] = None,
) -> None:
    """List secrets by name; those without a namespace are of the server's environment.

    \b
    Examples:
      penstock ctl secrets list
      penstock ctl secrets list my.namespace --output json
    """
    from penstock.cli.ctl.showing import Column, show
    from penstock.cli.remote import path_of

    output = output_of(ctx, given)
    place = path_of("namespaces", namespace, "secrets") if namespace else "secrets"
    with connect(ctx, given) as remote:
        found = list(remote.pages(place))
    columns = [
        Column("NAMESPACE", "namespace"),
        Column("KEY", "key"),
        Column("DESCRIPTION", "description"),
        Column("TAGS", lambda row: ", ".join(f"{tag['key']}:{tag['value']}" for tag in row["tags"])),
    ]
    show(output, found, columns, empty="no secrets found")


@app.command("set")
@spread
def set_secret(
    ctx: typer.Context,
    given: Given,
    namespace: Namespace,
    key: Key,
    description: Annotated[str | None, typer.Option("--description", help="What it is for.")] = None,
    tags: Annotated[list[str] | None, typer.Option("--tag", help="A tag as name:value; may be repeated.")] = None,
) -> None:
    """Set a secret, whether it exists or not; its value is read from standard input, or asked for.

    \b
    Examples:
      penstock ctl secrets set my.namespace API_KEY < key.txt
      penstock ctl secrets set my.namespace API_KEY --description "For the shop" --tag owner:ops
    """
    from penstock.cli.remote import path_of
    from penstock.cli.terminal import say

    body = {
        "key": key,
        "value": _value(),
        "description": description,
        "tags": [dict(zip(("key", "value"), tag.split(":", 1), strict=False)) for tag in _checked(tags)],
    }
    with connect(ctx, given) as remote:
        remote.ask("PUT", path_of("namespaces", namespace, "secrets"), json=body)
    say(f"{key} is set in {namespace}")


@app.command("delete")
@spread
def delete(ctx: typer.Context, given: Given, namespace: Namespace, key: Key) -> None:
    """Remove a secret; it is an error when there is none.

    \b
    Example:
      penstock ctl secrets delete my.namespace API_KEY
    """
    from penstock.cli.remote import path_of
    from penstock.cli.terminal import say

    with connect(ctx, given) as remote:
        remote.ask("DELETE", path_of("namespaces", namespace, "secrets", key))
    say(f"{key} is deleted from {namespace}")


def _value() -> str:
    import sys

    if sys.stdin.isatty():
        return str(typer.prompt("Value", hide_input=True))
    return sys.stdin.read().removesuffix("\n")


def _checked(tags: list[str] | None) -> list[str]:
    from penstock.base.errors import InvalidRequestError

    for tag in tags or []:
        if ":" not in tag:
            raise InvalidRequestError(f"`{tag}` is no tag", hint="write it as name:value")
    return tags or []
