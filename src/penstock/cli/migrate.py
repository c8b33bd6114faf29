"""`penstock migrate`: the database's schema. Implements OPS-115 in part (`sys database migrate`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penstock.cli.options import Config


def migrate(
    config: Config = None,
    database: Annotated[str | None, typer.Option("--database", help="Address of the database, instead.")] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Data folder of `penstock server local`, instead.")
    ] = None,
    status: Annotated[bool, typer.Option("--status", help="Only say where the schema stands.")] = False,
) -> None:
    """Bring the database to the schema of this release.

    \b
    Examples:
      penstock migrate --config application.yml
      penstock migrate --data ~/.penstock --status
    """
    from penstock.cli.options import configuration
    from penstock.cli.terminal import say
    from penstock.store.schema import migrate as migrate_schema
    from penstock.store.schema import status as schema_status
    from penstock.wiring.datasource import database_url
    from penstock.wiring.local import database_file

    url = database or (database_file(data) if data else database_url(configuration(config).settings))
    if status:
        say(str(schema_status(url)))
    else:
        migrate_schema(url)
        say("the schema is up to date")
