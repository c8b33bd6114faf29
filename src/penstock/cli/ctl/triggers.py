"""`penstock ctl triggers`: look at triggers, switch and pause them. Implements OPS-119 and BEY-041 in part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from penstock.cli.ctl.options import Given, Pause, connect, output_of, remember
from penstock.cli.spread import spread

app = typer.Typer(no_args_is_help=True, help="Look at triggers, switch them off and on.", rich_markup_mode=None)
app.callback()(remember)

Namespace = Annotated[str, typer.Argument(help="The flow's namespace.", show_default=False)]
FlowId = Annotated[str, typer.Argument(metavar="FLOW", help="The flow's id.", show_default=False)]
TriggerId = Annotated[str, typer.Argument(metavar="TRIGGER", help="The trigger's id.", show_default=False)]


@app.command("list")
@spread
def list_triggers(
    ctx: typer.Context,
    given: Given,
    namespace: Annotated[str | None, typer.Argument(help="Only those of this namespace.")] = None,
    flow: Annotated[str | None, typer.Option("--flow", help="Only those of this flow.")] = None,
) -> None:
    """List triggers with their next dates.

    \b
    Example:
      penstock ctl triggers list prod --flow nightly-refresh
    """
    from penstock.cli.ctl.showing import Column, show
    from penstock.cli.ctl.switching import told
    from penstock.cli.remote import given as present

    wanted = present({"filters[namespace][EQUALS]": namespace, "filters[flowId][EQUALS]": flow})
    output = output_of(ctx, given)
    with connect(ctx, given) as remote:
        found = list(remote.pages("triggers/search", **wanted))
    columns = [
        Column("NAMESPACE", "triggerContext.namespace"),
        Column("FLOW", "triggerContext.flowId"),
        Column("TRIGGER", "triggerContext.triggerId"),
        Column("DISABLED", _is_disabled),
        Column("HERE", lambda row: told(row["triggerContext"].get("switch") or {})),
        Column("LAST", "triggerContext.date"),
        Column("NEXT", "triggerContext.nextExecutionDate"),
    ]
    show(output, found, columns, empty="no triggers found")


@app.command("disable")
@spread
def disable(ctx: typer.Context, given: Given, namespace: Namespace, flow: FlowId, trigger: TriggerId) -> None:
    """Switch a trigger off, without a change of the flow.

    \b
    Example:
      penstock ctl triggers disable prod nightly-refresh every-night
    """
    _switch(ctx, given, _name(namespace, flow, trigger), disabled=True)


@app.command("enable")
@spread
def enable(ctx: typer.Context, given: Given, namespace: Namespace, flow: FlowId, trigger: TriggerId) -> None:
    """Switch a trigger on again.

    \b
    Example:
      penstock ctl triggers enable prod nightly-refresh every-night
    """
    _switch(ctx, given, _name(namespace, flow, trigger), disabled=False)


@app.command("pause")
@spread
def pause(
    ctx: typer.Context, given: Given, namespace: Namespace, flow: FlowId, trigger: TriggerId, wanted: Pause
) -> None:
    """Keep a trigger from firing, until a time or until it is resumed, without a change of the flow.

    \b
    Example:
      penstock ctl triggers pause prod nightly-refresh every-night --until PT2H --reason "the warehouse moves"
    """
    from penstock.cli.ctl.switching import pause as carry_out

    with connect(ctx, given) as remote:
        carry_out(remote, trigger, ("triggers", namespace, flow, trigger), wanted)


@app.command("resume")
@spread
def resume(ctx: typer.Context, given: Given, namespace: Namespace, flow: FlowId, trigger: TriggerId) -> None:
    """Let a trigger be what the flow's source says again.

    \b
    Example:
      penstock ctl triggers resume prod nightly-refresh every-night
    """
    from penstock.cli.ctl.switching import resume as carry_out

    with connect(ctx, given) as remote:
        carry_out(remote, trigger, ("triggers", namespace, flow, trigger))


@app.command("unlock")
@spread
def unlock(ctx: typer.Context, given: Given, namespace: Namespace, flow: FlowId, trigger: TriggerId) -> None:
    """Let a trigger fire again although the execution it started seems to run still.

    \b
    Example:
      penstock ctl triggers unlock prod nightly-refresh every-night
    """
    from penstock.cli.remote import path_of
    from penstock.cli.terminal import say

    with connect(ctx, given) as remote:
        remote.ask("POST", f"{path_of('triggers', namespace, flow, trigger)}/unlock")
    say(f"{trigger} may fire again")


def _is_disabled(row: Mapping[str, Any]) -> bool:
    """Return whether a trigger is off: switched off on the server, or by its source where nothing else is said."""
    context = row["triggerContext"]
    by_source = not context.get("switch") and (row.get("abstractTrigger") or {}).get("disabled") is True
    return bool(context.get("disabled")) or by_source


def _name(namespace: str, flow: str, trigger: str) -> dict[str, Any]:
    return {"namespace": namespace, "flowId": flow, "triggerId": trigger}


def _switch(ctx: typer.Context, given: Given, name: dict[str, Any], *, disabled: bool) -> None:
    from penstock.cli.terminal import say

    with connect(ctx, given) as remote:
        remote.ask("PUT", "triggers", json={**name, "disabled": disabled})
    say(f"{name['triggerId']} is {'disabled' if disabled else 'enabled'}")
