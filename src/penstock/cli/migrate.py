"""`penstock migrate`: the database's schema, and what comes from elsewhere.

Implements OPS-115 in part (`sys database migrate`), BEY-047 in part, BEY-051, MIG-080, MIG-081,
MIG-089.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penstock.cli.options import Config

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock.cli.carrying.checking import CheckedText
    from penstock.cli.carrying.steps import Step
    from penstock.cli.ctl.showing import Output

app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)

Context = Annotated[str | None, typer.Option("--context", help="This context of `penstock ctl`, not the default.")]
Contexts = Annotated[Path | None, typer.Option("--config", help="File with contexts; ~/.kestractl/config.yaml.")]
SourceUser = Annotated[str | None, typer.Option("--user", help="User name on the server that is read.")]
SourcePassword = Annotated[
    str | None, typer.Option("--password", envvar="PENSTOCK_SOURCE_PASSWORD", help="Its password.")
]
SourceToken = Annotated[
    str | None, typer.Option("--token", envvar="PENSTOCK_SOURCE_TOKEN", help="API token there, instead.")
]
SourceTenant = Annotated[str, typer.Option("--tenant", help="Tenant there; servers before 0.23 have none.")]


@app.callback()
def migrate(
    ctx: typer.Context,
    config: Config = None,
    database: Annotated[str | None, typer.Option("--database", help="Address of the database, instead.")] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Data folder of `penstock server local`, instead.")
    ] = None,
    status: Annotated[bool, typer.Option("--status", help="Only say where the schema stands.")] = False,
) -> None:
    """Bring the database to the schema of this release; or copy what another server holds.

    \b
    Examples:
      penstock migrate --config application.yml
      penstock migrate --data ~/.penstock --status
      penstock migrate from-kestra --url https://kestra.example.com --user me@example.com --dry-run
    """
    if ctx.invoked_subcommand is not None:
        return
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


class Metadata(StrEnum):
    """What other servers keep an index of."""

    KV = "kv"
    NSFILES = "nsfiles"
    SECRETS = "secrets"


@app.command("metadata")
def metadata(
    kind: Annotated[Metadata, typer.Argument(help="What to index.")],
    config: Config = None,
) -> None:
    """Accepted, for deployments that run it before servers start; there is nothing to do.

    \b
    Example:
      penstock migrate metadata kv
    """
    from penstock.cli.terminal import say

    say(f"{kind}: there is no index to build, what is known of each is kept with it")


@app.command("default-tenant")
def default_tenant(
    config: Config = None,
    tenant_id: Annotated[str, typer.Option("--tenant-id", help="The tenant of everything.")] = "main",
    tenant_name: Annotated[str | None, typer.Option("--tenant-name", help="Accepted.")] = None,
    excludes: Annotated[str | None, typer.Option("--excludes", help="Accepted.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Accepted.")] = False,
) -> None:
    """Accepted, for deployments that run it before servers start; everything is of tenant `main` from the start.

    \b
    Example:
      penstock migrate default-tenant --tenant-id main
    """
    from penstock.base.errors import InvalidRequestError
    from penstock.cli.terminal import say

    if tenant_id != "main":
        raise InvalidRequestError(f"there is no tenant `{tenant_id}`", hint="there is one tenant, `main`")
    say("there is nothing to do, everything is of tenant `main`")


@app.command("from-kestra")
def from_kestra(
    ctx: typer.Context,
    url: Annotated[str, typer.Option("--url", help="Address of the server to copy from.")],
    user: SourceUser = None,
    password: SourcePassword = None,
    token: SourceToken = None,
    tenant: SourceTenant = "main",
    namespaces: Annotated[
        list[str] | None, typer.Option("--namespace", help="Copy only this one and those below it. Repeatable.")
    ] = None,
    override: Annotated[bool, typer.Option("--override", help="Replace what is here and differs.")] = False,
    hold_triggers: Annotated[
        bool, typer.Option("--hold-triggers", help="Switch all triggers off here, while they still fire there.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")] = False,
    context: Context = None,
    config: Contexts = None,
    output: Annotated[str | None, typer.Option("--output", "-o", help="table, json or yaml.")] = None,
) -> None:
    """Copy flows, files, key-value pairs, namespaces and switched-off triggers from a server of Kestra.

    It goes to the server that `penstock ctl` works with. Namespaces are found by their flows, pairs and settings; name
    one that has files alone. Executions and logs are not copied; what cannot be is listed,
    with what to do instead. It may be repeated: what is the same already is left alone, and what differs is an error
    unless --override is given.

    Exit code: 0 when all was copied that can be, 1 when something failed.

    \b
    Examples:
      penstock migrate from-kestra --url https://kestra.example.com --user me@example.com --dry-run
      penstock migrate from-kestra --url https://kestra.example.com --user me@example.com --hold-triggers
      PENSTOCK_SOURCE_TOKEN=... penstock migrate from-kestra --url https://kestra.example.com --tenant production
    """
    from penstock.base.errors import InvalidRequestError
    from penstock.cli.carrying.carrier import Carrier
    from penstock.cli.carrying.origin import Origin
    from penstock.cli.ctl.contexts import Given as Said
    from penstock.cli.ctl.contexts import resolve
    from penstock.cli.ctl.options import Given, connect, output_of, with_password
    from penstock.cli.remote import Remote

    said = Said("the options for the server to copy from", url, tenant, token, user, password)
    source = with_password(resolve((said,)), variable="PENSTOCK_SOURCE_PASSWORD")
    target = Given(context=context, config=config, output=output)
    form = output_of(ctx, target)
    hint = "give --user, with the password in PENSTOCK_SOURCE_PASSWORD, or PENSTOCK_SOURCE_TOKEN"
    with Remote(source, login_hint=hint) as there, connect(ctx, target) as here:
        if (there.host, there.tenant) == (here.host, here.tenant):
            raise InvalidRequestError(
                f"{here.host} would be copied to itself",
                hint="name the target by --context, or by KESTRACTL_HOST and its login",
            )
        origin = Origin(there, namespaces or ())
        origin.open()
        carrier = Carrier(origin, here, override=override, dry_run=dry_run, hold=hold_triggers)
        steps = list(carrier.carry())
    _report(steps, form)


@app.command("export")
def export_archive(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="The archive to write, a ZIP file.")],
    namespaces: Annotated[
        list[str] | None, typer.Option("--namespace", help="Only this one and those below it. Repeatable.")
    ] = None,
    context: Context = None,
    config: Contexts = None,
) -> None:
    """Write what the server of `penstock ctl` holds into an archive: flows with their revisions, files, pairs,
    settings of namespaces, states of triggers, dashboards, and the names of secrets.

    \b
    Examples:
      penstock migrate export everything.zip
      penstock migrate export team.zip --namespace company.team
    """
    from penstock.cli.carrying.archive import write_archive
    from penstock.cli.carrying.origin import Origin
    from penstock.cli.ctl.options import Given, connect
    from penstock.cli.terminal import tell

    with connect(ctx, Given(context=context, config=config)) as there:
        origin = Origin(there, namespaces or ())
        origin.open()
        count = write_archive(origin, file)
    tell(f"{file}: {count} entries")


@app.command("import")
def import_archive(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="The archive.")],
    override: Annotated[bool, typer.Option("--override", help="Replace what is here and differs.")] = False,
    hold_triggers: Annotated[bool, typer.Option("--hold-triggers", help="Switch all triggers off here.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")] = False,
    context: Context = None,
    config: Contexts = None,
    output: Annotated[str | None, typer.Option("--output", "-o", help="table, json or yaml.")] = None,
) -> None:
    """Copy an archive to the server of `penstock ctl`; it may be repeated, as `from-kestra` may.

    Exit code: 0 when all was copied that can be, 1 when something failed.

    \b
    Examples:
      penstock migrate import everything.zip --dry-run
      penstock migrate import everything.zip --hold-triggers
    """
    from penstock.cli.carrying.archive import Archive
    from penstock.cli.carrying.carrier import Carrier
    from penstock.cli.ctl.options import Given, connect, output_of

    target = Given(context=context, config=config, output=output)
    form, archive = output_of(ctx, target), Archive(file)
    with connect(ctx, target) as here:
        steps = list(Carrier(archive, here, override=override, dry_run=dry_run, hold=hold_triggers).carry())
    _report(steps, form)


@app.command("check")
def check(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(help="A folder or a file of flows, or the address of a server.")],
    write: Annotated[bool, typer.Option("--write", help="Rewrite the files.")] = False,
    user: SourceUser = None,
    password: SourcePassword = None,
    token: SourceToken = None,
    tenant: SourceTenant = "main",
    namespaces: Annotated[
        list[str] | None, typer.Option("--namespace", help="Only flows of this one and those below it. Repeatable.")
    ] = None,
    config: Config = None,
    output: Annotated[str | None, typer.Option("--output", "-o", help="table, json or yaml.")] = None,
) -> None:
    """Say of each flow whether it runs here: as it is, in today's words (with the difference), or why not.

    Exit code: 0 when all flows run here, 1 otherwise.

    \b
    Examples:
      penstock migrate check flows/
      penstock migrate check flows/ --write
      penstock migrate check https://kestra.example.com --user me@example.com --namespace company
    """
    from penstock.base.errors import InvalidRequestError
    from penstock.cli.carrying.checking import Verdict, check_files, check_origin
    from penstock.cli.carrying.origin import Origin
    from penstock.cli.ctl.contexts import Given as Said
    from penstock.cli.ctl.contexts import resolve
    from penstock.cli.ctl.options import Given, output_of, with_password
    from penstock.cli.options import configuration
    from penstock.cli.remote import Remote
    from penstock.wiring.flow_reading import FlowReading, plugin_defaults
    from penstock.wiring.plugin_plan import plugin_plan
    from penstock.wiring.plugins import load_plugins

    form = output_of(ctx, Given(output=output))
    settings = configuration(config).settings
    core = settings.kestra
    defaults = plugin_defaults([*core.tasks.defaults, *core.plugins.defaults])
    reading = FlowReading(load_plugins(plan=plugin_plan(settings)).registry, defaults)
    if source.startswith(("http://", "https://")):
        if write:
            raise InvalidRequestError(
                "`--write` is for files", hint="`penstock migrate from-kestra` copies flows as they are"
            )
        said = Said("the options for the server", source, tenant, token, user, password)
        with Remote(with_password(resolve((said,)), variable="PENSTOCK_SOURCE_PASSWORD")) as there:
            origin = Origin(there, namespaces or ())
            origin.open()
            checked = list(check_origin(origin, reading))
    else:
        files = list(check_files([Path(source)], reading))
        for file, one in files if write else ():
            if one.verdict is Verdict.REWRITTEN:
                file.write_text(one.rewritten, "utf-8")
        checked = [one for _, one in files]
    _tell(checked, form)
    if any(one.verdict is Verdict.REFUSED for one in checked):
        raise typer.Exit(1)


def _tell(checked: Sequence[CheckedText], output: Output) -> None:
    """Write what is to be said of each text: one line, then the difference or the reasons."""
    from collections import Counter

    from penstock.cli.ctl.showing import Output, document
    from penstock.cli.terminal import say, tell

    if output is not Output.TABLE:
        rows = [
            {
                "name": one.name,
                "verdict": one.verdict.value,
                "diff": one.diff,
                "problems": [str(problem) for problem in (*one.errors, *one.left)],
            }
            for one in checked
        ]
        say(document(output, rows))
        return
    for one in checked:
        say(f"{one.verdict.value:<9}  {one.name}")
        for problem in (*one.errors, *one.left):
            say(f"    {problem}")
        if one.diff:
            say(one.diff.rstrip("\n"))
    counts = Counter(one.verdict.value for one in checked)
    tell(", ".join(f"{count} {verdict}" for verdict, count in counts.items()) or "there are no flows")


def _report(steps: Sequence[Step], output: Output) -> None:
    """Write what became of each thing; what was the same already is only counted, unless a program reads.

    Raises:
        typer.Exit: Something failed.
    """
    from dataclasses import asdict

    from penstock.cli.carrying.steps import Action, summary
    from penstock.cli.ctl.showing import Column, Output, show
    from penstock.cli.terminal import tell

    rows = [asdict(step) | {"action": step.action.value} for step in steps]
    if output is Output.TABLE:
        rows = [row for row in rows if row["action"] != Action.UNCHANGED]
    columns = [Column(title.upper(), title) for title in ("action", "kind", "name", "message", "hint")]
    show(output, rows, columns, empty="everything is here already" if steps else "there is nothing to copy")
    for line in summary(steps):
        tell(line)
    tell("executions and logs stay where they are; schedules go on from now")
    if any(step.action is Action.FAILED for step in steps):
        raise typer.Exit(1)
