"""`penstock ctl config`: servers by name, with a login each. Implements OPS-119, OPS-121 in part (`config`)."""

from __future__ import annotations

from typing import Annotated

import typer

from penstock.cli.ctl.options import Given, context_file, merged, output_of, remember
from penstock.cli.spread import spread

app = typer.Typer(no_args_is_help=True, help="Keep servers by name, with a login each.", rich_markup_mode=None)
app.callback()(remember)

Name = Annotated[str, typer.Argument(help="What the context is called.")]


@app.command("add")
@spread
def add(
    ctx: typer.Context,
    given: Given,
    name: Name,
    address: Annotated[str, typer.Argument(metavar="HOST", help="Address of the server.")],
    of_tenant: Annotated[str, typer.Argument(metavar="TENANT", help="Its tenant.")] = "main",
    default: Annotated[bool, typer.Option("--default", help="Use it where no context is named.")] = False,
) -> None:
    """Keep a server with its login; a password that is not given is asked for.

    The file is readable by you alone.

    \b
    Examples:
      penstock ctl config add default http://localhost:8080 main --username me@example.com --default
      penstock ctl config add production https://flows.example.com main --token TOKEN
    """
    import os

    from penstock.cli.ctl.contexts import Given as Said
    from penstock.cli.ctl.contexts import from_environment, resolve
    from penstock.cli.ctl.options import with_password
    from penstock.cli.remote import checked_host
    from penstock.cli.terminal import say

    wanted = merged(ctx, given)
    flags = Said("the options", checked_host(address), of_tenant, wanted.token, wanted.username, wanted.password)
    server = with_password(resolve((flags, from_environment(os.environ))))
    login = Said("", server.host, server.tenant, server.token, server.username, server.password)
    file = context_file(ctx, given)
    file.add(name, login, default=default)
    say(f"context `{name}` is kept in {file.path}" + (", the default" if file.default() == name else ""))


@app.command("show")
@spread
def show_contexts(ctx: typer.Context, given: Given) -> None:
    """Show the contexts, passwords and tokens left out.

    \b
    Example:
      penstock ctl config show
    """
    from penstock.cli.ctl.showing import Column, show

    file = context_file(ctx, given)
    default = file.default()
    rows = []
    for name in file.names():
        context = file.get(name)
        rows.append(
            {
                "name": name,
                "default": name == default,
                "host": context.host,
                "tenant": context.tenant,
                "auth_method": "token" if context.token else "basicAuth",
                "username": context.username,
            }
        )
    columns = [Column(title.upper().replace("_", " "), title) for title in
               ("name", "default", "host", "tenant", "auth_method", "username")]  # fmt: skip
    show(output_of(ctx, given), rows, columns, empty=f"{file.path} has no contexts yet; `penstock ctl config add`")


@app.command("use")
@spread
def use(ctx: typer.Context, given: Given, name: Name) -> None:
    """Use a context where none is named.

    \b
    Example:
      penstock ctl config use production
    """
    from penstock.cli.terminal import say

    context_file(ctx, given).use(name)
    say(f"context `{name}` is the default")


@app.command("remove")
@spread
def remove(ctx: typer.Context, given: Given, name: Name) -> None:
    """Forget a context and its login.

    \b
    Example:
      penstock ctl config remove production
    """
    from penstock.cli.terminal import say

    context_file(ctx, given).remove(name)
    say(f"context `{name}` is removed")
