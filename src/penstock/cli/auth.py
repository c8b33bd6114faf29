"""`penstock auth token`: what programs log in with instead of a password. Implements GOV-075, GOV-077 in part."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from penstock.cli.ctl.options import Given, connect, output_of, remember
from penstock.cli.spread import spread

_TOKENS = "/api/v1/me/api-tokens"

app = typer.Typer(no_args_is_help=True, help="Look after logins.", rich_markup_mode=None)
tokens = typer.Typer(no_args_is_help=True, help="Make, list and revoke API tokens of yours.", rich_markup_mode=None)
app.callback()(remember)
tokens.callback()(remember)
app.add_typer(tokens, name="token")


@tokens.command("create")
@spread
def create(
    ctx: typer.Context,
    given: Given,
    name: Annotated[str, typer.Argument(help="What it is called.", show_default=False)],
    description: Annotated[str | None, typer.Option("--description", help="What it is for.")] = None,
    max_age: Annotated[
        str | None, typer.Option("--max-age", help="How long it lives, such as P30D; for ever without.")
    ] = None,
    extended: Annotated[bool, typer.Option("--extended", help="Each use lets it live that long from then on.")] = False,
) -> None:
    """Make an API token and print it; it is shown this once.

    It is as good as your login, on the server that `penstock ctl` works with.

    \b
    Examples:
      penstock auth token create ci --max-age P90D --extended
      penstock auth token create ci | some-store-of-secrets
    """
    from penstock.cli.ctl.showing import Output, document
    from penstock.cli.remote import given as present
    from penstock.cli.remote import json_of
    from penstock.cli.terminal import say, tell

    output = output_of(ctx, given)
    wanted = present({"name": name, "description": description, "maxAge": max_age, "extended": extended})
    with connect(ctx, given) as remote:
        made = json_of(remote.ask("POST", _TOKENS, json=wanted))
    if output is not Output.TABLE:
        say(document(output, made))
        return
    say(made["fullToken"])
    tell("this is shown once: keep it where it is safe")


@tokens.command("list")
@spread
def list_tokens(ctx: typer.Context, given: Given) -> None:
    """List your API tokens; of each, how it begins.

    \b
    Example:
      penstock auth token list
    """
    from penstock.cli.ctl.showing import Column, show

    output = output_of(ctx, given)
    with connect(ctx, given) as remote:
        found = remote.get(_TOKENS)["results"]
    columns = [
        Column("ID", "id"),
        Column("NAME", "name"),
        Column("BEGINS", "prefix"),
        Column("CREATED", "iat"),
        Column("EXPIRES", "exp"),
        Column("EXPIRED", "expired"),
        Column("LAST USED", "lastUsed"),
        Column("DESCRIPTION", "description"),
    ]
    show(output, found, columns, empty="there are no API tokens")


@tokens.command("revoke")
@spread
def revoke(
    ctx: typer.Context,
    given: Given,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name, or its id.", show_default=False)],
) -> None:
    """Make an API token worthless.

    \b
    Example:
      penstock auth token revoke ci
    """
    from penstock.base.errors import NotFoundError
    from penstock.cli.terminal import say

    with connect(ctx, given) as remote:
        found: list[dict[str, Any]] = remote.get(_TOKENS)["results"]
        wanted = next((one for key in ("name", "id") for one in found if one[key] == name), None)
        if wanted is None:
            raise NotFoundError(
                f"there is no API token `{name}`", hint="`penstock auth token list` shows those there are"
            )
        remote.ask("DELETE", f"{_TOKENS}/{wanted['id']}")
    say(f"{wanted['name']} is revoked")
