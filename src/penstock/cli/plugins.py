"""`penstock plugins`, or `penstock plugin`: which types there are, and new ones.

Implements OPS-114 in part (`search` is not there), ENG-322, PLG-005, PLG-049, GOV-379.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penstock.cli.options import Config, PluginsPath

app = typer.Typer(
    no_args_is_help=True, help="Look at the installed plugins, or begin a new one.", rich_markup_mode=None
)


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
    config: Config = None,
) -> None:
    """List all types a flow may use, with the distribution each comes from.

    \b
    Examples:
      penstock plugins list
      penstock plugins list --json
    """
    import json

    from penstock.cli.options import configuration, use_plugins
    from penstock.cli.terminal import say, tell
    from penstock.model.registry import TypeKind
    from penstock.wiring.plugin_plan import plugin_plan
    from penstock.wiring.plugins import load_plugins

    use_plugins(plugins)
    found = load_plugins(plan=plugin_plan(configuration(config, told=False).settings))
    entries = [
        entry for kind in TypeKind for entry in found.registry.of_kind(kind) if core or entry.plugin != "penstock"
    ]
    if as_json:
        listed = [
            {
                "type": one.name,
                "kind": one.kind.value,
                "plugin": one.plugin,
                "versions": list(found.registry.versions(one.name)),
            }
            for one in entries
        ]
        say(json.dumps(listed, indent=2))
    else:
        width = max((len(entry.name) for entry in entries), default=0)
        for entry in entries:
            versions = ", ".join(found.registry.versions(entry.name))
            say(f"{entry.name:<{width}}  {entry.kind.value:<11}  {entry.plugin} {versions}".rstrip())
    for broken in found.broken:
        tell(f"warning: {broken}")


@app.command("install")
def install(
    wanted: Annotated[list[str], typer.Argument(help="`name`, `name==1.2`, `group:name:1.2`, or a wheel.")],
    repositories: Annotated[
        list[str] | None,
        typer.Option("--repositories", help="A folder with packages, or the address of an index. Repeatable."),
    ] = None,
    locally: Annotated[  # the documented spelling: there is no other place
        bool, typer.Option("--locally/--no-locally", help="Install here, the only place there is.", hidden=True)
    ] = True,
    config: Config = None,
) -> None:
    """Install plugins, each version into an environment of its own beside those that are there.

    Servers and workers know them from their next start; a flow may choose by `version`.

    \b
    Examples:
      penstock plugins install penstock-weather
      penstock plugins install penstock-weather==1.2 --repositories ./wheels
    """
    from penstock.cli.options import configuration
    from penstock.cli.terminal import say
    from penstock.wiring.plugin_plan import managed_plugins

    plugins = managed_plugins(configuration(config).settings)
    for one in wanted:
        say(f"installed {plugins.install(one, sources=repositories or ())}")


@app.command("uninstall")
def uninstall(
    wanted: Annotated[list[str], typer.Argument(help="`name` for all its versions, or `name==1.2`.")],
    config: Config = None,
) -> None:
    """Remove plugins that have environments of their own.

    \b
    Example:
      penstock plugins uninstall penstock-weather==1.2
    """
    from penstock.cli.options import configuration
    from penstock.cli.terminal import say
    from penstock.wiring.plugin_plan import managed_plugins

    plugins = managed_plugins(configuration(config).settings)
    for one in wanted:
        for gone in plugins.uninstall(one):
            say(f"removed {gone}")


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(help="What it is about, such as `weather`.")],
    prefix: Annotated[
        str | None, typer.Option("--prefix", help="What its types' names begin with; org.example.<name> by default.")
    ] = None,
    into: Annotated[Path, typer.Option("--into", help="Folder to make it in.")] = Path(),
) -> None:
    """Begin a plugin: a package with a task as a class, a task as a function, and tests that pass.

    \b
    Examples:
      penstock plugin new weather
      penstock plugin new weather --prefix com.acme.weather --into ~/projects
    """
    from penstock.cli.scaffolding import create_plugin
    from penstock.cli.terminal import say, tell
    from penstock.wiring.version import penstock_version

    target = create_plugin(name, prefix, into, penstock_version())
    say(str(target))
    tell(f'next: cd {target} && pip install -e ".[test]" && pytest')


@app.command("doc")
def doc(
    plugin: Annotated[
        str | None, typer.Option("--plugin", help="A distribution, a type, or what types' names begin with.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", help="A file ending in .json for schemas, or .md.")] = None,
    plugins: PluginsPath = None,
    config: Config = None,
) -> None:
    """Write the documentation of types as Markdown, or their JSON Schemas.

    \b
    Examples:
      penstock plugins doc --plugin io.kestra.plugin.core.log.Log
      penstock plugins doc --plugin penstock-weather --output weather.json
    """
    from penstock.cli.options import configuration, use_plugins
    from penstock.cli.plugin_pages import pages
    from penstock.cli.terminal import say
    from penstock.wiring.plugin_plan import plugin_plan
    from penstock.wiring.plugins import load_plugins

    use_plugins(plugins)
    found = load_plugins(plan=plugin_plan(configuration(config, told=False).settings))
    text = pages(found.registry, plugin, as_json=output is not None and output.suffix == ".json")
    if output is None:
        say(text)
    else:
        output.write_text(text + "\n", encoding="utf-8")
