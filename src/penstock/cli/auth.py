"""`penstock auth`: what programs log in with instead of a password. Implements ENG-286, GOV-075, GOV-077 in part."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from penstock.cli.ctl.options import Given, connect, output_of, remember
from penstock.cli.spread import spread

_ACCOUNTS = "/api/v1/service-accounts"

app = typer.Typer(no_args_is_help=True, help="Look after logins.", rich_markup_mode=None)
tokens = typer.Typer(no_args_is_help=True, help="Make, list and revoke API tokens of yours.", rich_markup_mode=None)
accounts = typer.Typer(no_args_is_help=True, help="Look after the accounts of programs.", rich_markup_mode=None)
for group in (app, tokens, accounts):
    group.callback()(remember)
app.add_typer(tokens, name="token")
app.add_typer(accounts, name="account")

Account = Annotated[
    str | None, typer.Option("--account", help="Of this service account, not of yours.", show_default=False)
]
Name = Annotated[str, typer.Argument(help="Its name.", show_default=False)]


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
    account: Account = None,
) -> None:
    """Make an API token and print it; it is shown this once.

    It is as good as your login, on the server that `penstock ctl` works with; one of a service account makes no others.

    \b
    Examples:
      penstock auth token create ci --max-age P90D --extended
      penstock auth token create deploys --account ci | some-store-of-secrets
    """
    from penstock.cli.ctl.showing import Output, document
    from penstock.cli.remote import given as present
    from penstock.cli.remote import json_of
    from penstock.cli.terminal import say, tell

    output = output_of(ctx, given)
    wanted = present({"name": name, "description": description, "maxAge": max_age, "extended": extended})
    with connect(ctx, given) as remote:
        made = json_of(remote.ask("POST", _tokens(account), json=wanted))
    if output is not Output.TABLE:
        say(document(output, made))
        return
    say(made["fullToken"])
    tell("this is shown once: keep it where it is safe")


@tokens.command("list")
@spread
def list_tokens(ctx: typer.Context, given: Given, account: Account = None) -> None:
    """List your API tokens; of each, how it begins.

    \b
    Examples:
      penstock auth token list
      penstock auth token list --account ci
    """
    from penstock.cli.ctl.showing import Column, show

    output = output_of(ctx, given)
    with connect(ctx, given) as remote:
        found = remote.get(_tokens(account))["results"]
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
    account: Account = None,
) -> None:
    """Make an API token worthless.

    \b
    Example:
      penstock auth token revoke ci
    """
    from penstock.base.errors import NotFoundError
    from penstock.cli.terminal import say

    with connect(ctx, given) as remote:
        found: list[dict[str, Any]] = remote.get(_tokens(account))["results"]
        wanted = next((one for key in ("name", "id") for one in found if one[key] == name), None)
        if wanted is None:
            raise NotFoundError(
                f"there is no API token `{name}`", hint="`penstock auth token list` shows those there are"
            )
        remote.ask("DELETE", f"{_tokens(account)}/{wanted['id']}")
    say(f"{wanted['name']} is revoked")


@accounts.command("create")
@spread
def create_account(
    ctx: typer.Context,
    given: Given,
    name: Name,
    description: Annotated[str | None, typer.Option("--description", help="What it is for.")] = None,
) -> None:
    """Make an account for a program: it logs in with API tokens of its own, and has no password.

    \b
    Example:
      penstock auth account create ci --description "Deploys flows"
      penstock auth token create deploys --account ci
    """
    from penstock.cli.remote import given as present
    from penstock.cli.terminal import say

    with connect(ctx, given) as remote:
        remote.ask("POST", _ACCOUNTS, json=present({"name": name, "description": description}))
    say(f"{name} is made; `penstock auth token create NAME --account {name}` has it log in")


@accounts.command("list")
@spread
def list_accounts(ctx: typer.Context, given: Given) -> None:
    """List the accounts of programs.

    \b
    Example:
      penstock auth account list --output json
    """
    from penstock.cli.ctl.showing import Column, show

    output = output_of(ctx, given)
    with connect(ctx, given) as remote:
        found = list(remote.pages(_ACCOUNTS))
    columns = [Column("NAME", "name"), Column("DISABLED", "disabled"), Column("DESCRIPTION", "description")]
    show(output, found, columns, empty="there are no service accounts")


@accounts.command("disable")
@spread
def disable(ctx: typer.Context, given: Given, name: Name) -> None:
    """Have the tokens of an account refused, until it is enabled again.

    \b
    Example:
      penstock auth account disable ci
    """
    _switch(ctx, given, name, is_disabled=True)


@accounts.command("enable")
@spread
def enable(ctx: typer.Context, given: Given, name: Name) -> None:
    """Have the tokens of an account accepted again.

    \b
    Example:
      penstock auth account enable ci
    """
    _switch(ctx, given, name, is_disabled=False)


@accounts.command("delete")
@spread
def delete_account(ctx: typer.Context, given: Given, name: Name) -> None:
    """Remove an account and its tokens.

    \b
    Example:
      penstock auth account delete ci
    """
    from penstock.cli.terminal import say

    with connect(ctx, given) as remote:
        remote.ask("DELETE", _account(name))
    say(f"{name} is deleted")


def _switch(ctx: typer.Context, given: Any, name: str, *, is_disabled: bool) -> None:
    from penstock.cli.terminal import say

    with connect(ctx, given) as remote:
        remote.ask("PATCH", _account(name), json={"disabled": is_disabled})
    say(f"{name} is {'disabled' if is_disabled else 'enabled'}")


def _account(name: str) -> str:
    from urllib.parse import quote

    return f"{_ACCOUNTS}/{quote(name, safe='')}"


def _tokens(account: str | None) -> str:
    return "/api/v1/me/api-tokens" if account is None else f"{_account(account)}/api-tokens"
