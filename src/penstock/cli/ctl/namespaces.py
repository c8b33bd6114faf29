"""`penstock ctl namespaces`. Implements OPS-119 in part (`namespaces`), ENG-020 in part."""

from __future__ import annotations

from typing import Annotated

import typer

from penstock.cli.ctl.options import Given, connect, output_of, remember
from penstock.cli.spread import spread

app = typer.Typer(no_args_is_help=True, help="Look at namespaces.", rich_markup_mode=None)
app.callback()(remember)


@app.command("list")
@spread
def list_namespaces(
    ctx: typer.Context,
    given: Given,
    query: Annotated[str | None, typer.Option("--query", "-q", help="Only those whose name contains this.")] = None,
) -> None:
    """List namespaces.

    \b
    Examples:
      penstock ctl namespaces list
      penstock ctl namespaces list --query team
    """
    from penstock.cli.ctl.showing import Column, show

    output = output_of(ctx, given)
    with connect(ctx, given) as remote:
        found = list(remote.pages("namespaces/search", q=query))
    show(output, found, [Column("NAMESPACE", "id"), Column("DESCRIPTION", "description")], empty="no namespaces found")
