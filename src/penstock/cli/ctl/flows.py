"""`penstock ctl flows`. Implements OPS-119 and OPS-122 in part (`flows`), ENG-011 and BEY-041 in part."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penstock.cli.ctl.options import Given, Pause, connect, output_of, remember
from penstock.cli.spread import spread

if TYPE_CHECKING:
    from penstock.cli.ctl.showing import Column

app = typer.Typer(no_args_is_help=True, help="Look at flows, check, deploy and pause them.", rich_markup_mode=None)
app.callback()(remember)

Namespace = Annotated[str, typer.Argument(help="The flow's namespace.", show_default=False)]
FlowId = Annotated[str, typer.Argument(metavar="FLOW", help="The flow's id.", show_default=False)]
Paths = Annotated[list[Path], typer.Argument(metavar="PATH...", help="Flow files, or folders of them.")]


def _columns() -> list[Column]:
    from penstock.cli.ctl.showing import Column
    from penstock.cli.ctl.switching import told

    return [
        Column("NAMESPACE", "namespace"),
        Column("ID", "id"),
        Column("REVISION", "revision"),
        Column("DISABLED", lambda row: bool(row.get("disabled"))),
        Column(
            "HERE", lambda row: told(next((one for one in row.get("switches") or () if "triggerId" not in one), {}))
        ),
        Column("DESCRIPTION", "description"),
    ]


@app.command("list")
@spread
def list_flows(
    ctx: typer.Context,
    given: Given,
    namespace: Annotated[str | None, typer.Argument(help="Only flows of this namespace.")] = None,
) -> None:
    """List flows, of all namespaces or of one.

    \b
    Examples:
      penstock ctl flows list
      penstock ctl flows list my.namespace --output json
    """
    from penstock.cli.ctl.showing import show
    from penstock.cli.remote import path_of

    output = output_of(ctx, given)
    with connect(ctx, given) as remote:
        found = remote.get(path_of("flows", namespace)) if namespace else list(remote.pages("flows/search"))
    show(output, found, _columns(), empty="no flows found")


@app.command("get")
@spread
def get(
    ctx: typer.Context,
    given: Given,
    namespace: Namespace,
    flow: FlowId,
    revision: Annotated[int | None, typer.Option("--revision", help="This revision, not the latest.")] = None,
    source: Annotated[bool, typer.Option("--source", help="Print the YAML source alone, as it was written.")] = False,
) -> None:
    """Show a flow.

    \b
    Examples:
      penstock ctl flows get my.namespace my-flow
      penstock ctl flows get my.namespace my-flow --source > my-flow.yaml
    """
    from penstock.cli.ctl.showing import show
    from penstock.cli.remote import path_of
    from penstock.cli.terminal import say

    output = output_of(ctx, given)
    with connect(ctx, given) as remote:
        found = remote.get(path_of("flows", namespace, flow), source="true", revision=revision)
    if source:
        say(str(found["source"]).removesuffix("\n"))
    else:
        show(output, found, _columns())


@app.command("validate")
@spread
def validate(ctx: typer.Context, given: Given, paths: Paths) -> None:
    """Have the server check flow files, with the types it knows; all problems of all files at once.

    Exit code: 0 when there are no errors (warnings do not count), 1 otherwise.

    \b
    Examples:
      penstock ctl flows validate ./flows/
      penstock ctl flows validate hello.yaml --output json
    """
    from penstock.cli.ctl.showing import Output
    from penstock.cli.validating import validate_on_server

    output = output_of(ctx, given)
    with connect(ctx, given) as remote:
        raise typer.Exit(validate_on_server(paths, remote, as_json=output is not Output.TABLE))


@app.command("deploy")
@spread
def deploy(
    ctx: typer.Context,
    given: Given,
    paths: Paths,
    namespace: Annotated[
        str | None, typer.Option("--namespace", "-n", help="Put the flows there; those below it stay where they are.")
    ] = None,
    override: Annotated[bool, typer.Option("--override", help="Replace flows that exist and differ.")] = False,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop at the first flow that fails.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")] = False,
) -> None:
    """Create flows from files, or give those there are a new revision; what is the same already is left alone.

    Exit code: 0 when all flows are there, 1 when one could not be deployed.

    \b
    Examples:
      penstock ctl flows deploy ./flows
      penstock ctl flows deploy ./flows --namespace prod --override --fail-fast
      penstock ctl flows deploy ./flows --override --dry-run
    """
    from dataclasses import asdict

    from penstock.cli.ctl.deploying import Deployment, fire_times
    from penstock.cli.ctl.showing import Column, show
    from penstock.cli.terminal import tell

    output = output_of(ctx, given)
    with connect(ctx, given) as remote:
        deployment = Deployment(remote, namespace=namespace, override=override, dry_run=dry_run)
        done = list(deployment.deploy(paths, fail_fast=fail_fast))
    columns = [Column(title.upper(), title) for title in ("action", "namespace", "id", "file")]
    show(output, [asdict(one) for one in done], columns, empty="no flow files found")
    for one in done:
        for trigger in one.triggers:
            tell(f"{one.namespace}.{one.id}: {fire_times(trigger)}")
    failed = [one for one in done if one.failed]
    for one in failed:
        tell(f"{one.file}: {one.message}" + (f"\n  hint: {one.hint}" if one.hint else ""))
    if failed or not done:
        raise typer.Exit(1)


@app.command("pause")
@spread
def pause(ctx: typer.Context, given: Given, namespace: Namespace, flow: FlowId, wanted: Pause) -> None:
    """Start nothing of a flow, until a time or until it is resumed, without a change of its source.

    \b
    Examples:
      penstock ctl flows pause prod nightly-refresh --until PT2H --reason "the warehouse moves"
      penstock ctl flows pause prod nightly-refresh --until 2026-03-01T08:00:00Z
    """
    from penstock.cli.ctl.switching import pause as carry_out

    with connect(ctx, given) as remote:
        carry_out(remote, f"{namespace}.{flow}", ("flows", namespace, flow), wanted)


@app.command("resume")
@spread
def resume(ctx: typer.Context, given: Given, namespace: Namespace, flow: FlowId) -> None:
    """Let a flow be what its source says again.

    \b
    Example:
      penstock ctl flows resume prod nightly-refresh
    """
    from penstock.cli.ctl.switching import resume as carry_out

    with connect(ctx, given) as remote:
        carry_out(remote, f"{namespace}.{flow}", ("flows", namespace, flow))


@app.command("delete")
@spread
def delete(ctx: typer.Context, given: Given, namespace: Namespace, flow: FlowId) -> None:
    """Delete a flow; its revisions and executions are kept.

    \b
    Example:
      penstock ctl flows delete my.namespace my-flow
    """
    from penstock.cli.remote import path_of
    from penstock.cli.terminal import say

    with connect(ctx, given) as remote:
        remote.ask("DELETE", path_of("flows", namespace, flow))
    say(f"{namespace}.{flow} is deleted")
