"""`penstock db`: the size of the database, old records, and its schema. Implements BEY-020, BEY-021, BEY-071."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penstock.cli.options import Config

if TYPE_CHECKING:
    from penstock.wiring.maintenance import Maintenance

app = typer.Typer(no_args_is_help=True, help="Look after the database.", rich_markup_mode=None)
Data = Annotated[
    Path | None, typer.Option("--data", help="Data folder of `penstock server local`, when that is what runs.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("size")
def size(config: Config = None, data: Data = None, as_json: Json = False) -> None:
    """Show the bytes of each table, its growth in a day, and what a purge would free.

    Growth is what the last seven days brought; it and the last column are estimates.

    \b
    Examples:
      penstock db size --config application.yml
      penstock db size --data ~/.penstock --json
    """
    from penstock.cli.loop import run
    from penstock.cli.sizes import show_sizes

    show_sizes(run(_maintenance(config, data).sizes()), as_json=as_json)


@app.command("purge")
def purge(
    config: Config = None,
    data: Data = None,
    executions: Annotated[
        str | None, typer.Option("--executions", help="Keep executions this long instead, such as 30d; `forever`.")
    ] = None,
    logs: Annotated[str | None, typer.Option("--logs", help="Keep log lines this long instead.")] = None,
    compact: Annotated[
        bool,
        typer.Option(
            "--compact", help="Give free room back afterwards: write an embedded database anew, VACUUM PostgreSQL."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Remove what is older than `kestra.retention` keeps; no server need run, and none of an embedded database may.

    \b
    Examples:
      penstock db purge --config application.yml
      penstock db purge --data ~/.penstock --executions 30d --logs 7d --compact
    """
    import json
    from dataclasses import asdict

    from penstock.cli.loop import run
    from penstock.cli.terminal import say
    from penstock.wiring.retention import given_period

    maintenance = _maintenance(config, data)
    policy = maintenance.policy
    if executions is not None:
        policy = replace(policy, executions=given_period("--executions", executions))
    if logs is not None:
        policy = replace(policy, logs=given_period("--logs", logs))
    swept = run(replace(maintenance, policy=policy).purge())
    if compact:
        maintenance.compact()
    if as_json:
        say(json.dumps(asdict(swept)))
        return
    say(
        f"removed: {swept.executions} executions, {swept.logs} log lines, {swept.metrics} metrics, "
        f"{swept.files} files, {swept.orphans} folders of no execution"
    )


@app.command("counts")
def counts(
    config: Config = None,
    data: Data = None,
    mend: Annotated[bool, typer.Option("--mend", help="Count all anew when something is wrong.")] = False,
) -> None:
    """Compare the counts that lists and charts read with the executions themselves; stop all servers to mend them.

    The exit code is 1 when a count is wrong and has not been mended.

    \b
    Examples:
      penstock db counts --config application.yml
      penstock db counts --data ~/.penstock --mend
    """
    from penstock.base.clock import to_iso
    from penstock.cli.loop import run
    from penstock.cli.terminal import say

    wrong = run(_maintenance(config, data).wrong_counts(mend=mend))
    for one in wrong[:20]:
        say(
            f"{one.namespace}.{one.flow_id} {one.state} from {to_iso(one.hour)}: {one.kept} are counted, "
            f"{one.found} there are"
        )
    if not wrong:
        say("all counts are what the executions say")
        return
    say(f"{len(wrong)} counts were wrong and have been mended" if mend else f"{len(wrong)} counts are wrong")
    if not mend:
        raise typer.Exit(1)


@app.command("rollback")
def rollback(
    config: Config = None,
    data: Data = None,
    to: Annotated[str | None, typer.Option("--to", help="A version of the schema, instead.", metavar="VERSION")] = None,
) -> None:
    """Bring the database back to the schema of the minor release before this one; stop all servers first.

    What only this release keeps is lost. Most often there is no need: the minor release before this one works on the
    newer schema too, where the migrations in between only added to it.

    \b
    Examples:
      penstock db rollback --config application.yml
      penstock db rollback --data ~/.penstock --to 0003_pre_namespaces
    """
    from penstock.cli.terminal import say

    version = _maintenance(config, data).rollback(to)
    say(f"the schema has version {version}; start the release it belongs to")


def _maintenance(config: Path | None, data: Path | None) -> Maintenance:
    """Return the database that is configured, or that of `server local` where none is."""
    from penstock.cli.options import configuration_here
    from penstock.wiring.datasource import database_url
    from penstock.wiring.maintenance import Maintenance
    from penstock.wiring.planning import storage_root
    from penstock.wiring.retention import retention_policy

    found, data = configuration_here(config, data)
    settings = found.settings
    return Maintenance(database_url(settings), storage_root(settings, data), retention_policy(settings))
