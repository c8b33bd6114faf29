"""`penstock configs`: what the server is told. Implements OPS-052."""

from __future__ import annotations

import typer

from penstock.cli.options import Config

app = typer.Typer(no_args_is_help=True, help="Look at the configuration.", rich_markup_mode=None)


@app.callback()
def _group() -> None:
    pass


@app.command("properties")
def properties(config: Config = None) -> None:
    """Print the effective configuration of all sources together, secrets masked.

    \b
    Example:
      penstock configs properties --config application.yml
    """
    import yaml

    from penstock.cli.options import configuration

    typer.echo(yaml.safe_dump(configuration(config).shown(), sort_keys=True, allow_unicode=True), nl=False)
