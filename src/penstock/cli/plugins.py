"""`penstock plugins`: which types there are. Implements OPS-114 in part (`list`)."""

from __future__ import annotations

from typing import Annotated

import typer

from penstock.cli.options import PluginsPath

app = typer.Typer(no_args_is_help=True, help="Look at the installed plugins.", rich_markup_mode=None)


@app.callback()
def _group() -> None:
    pass


@app.command("list")
def list_plugins(
    core: Annotated[
        bool, typer.Option("--core", help="List the built-in types too (they are, without plugins).")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    plugins: PluginsPath = None,
) -> None:
    """List all types a flow may use, with the distribution each comes from.

    \b
    Examples:
      penstock plugins list
      penstock plugins list --json
    """
    import json

    from penstock.cli.options import use_plugins
    from penstock.cli.terminal import say, tell
    from penstock.model.registry import TypeKind
    from penstock.wiring.plugins import load_plugins

    use_plugins(plugins)
    found = load_plugins()
    entries = [
        entry for kind in TypeKind for entry in found.registry.of_kind(kind) if core or entry.plugin != "penstock"
    ]
    if as_json:
        say(json.dumps([{"type": one.name, "kind": one.kind.value, "plugin": one.plugin} for one in entries], indent=2))
    else:
        width = max((len(entry.name) for entry in entries), default=0)
        for entry in entries:
            say(f"{entry.name:<{width}}  {entry.kind.value:<11}  {entry.plugin}")
    for broken in found.broken:
        tell(f"warning: {broken}")
