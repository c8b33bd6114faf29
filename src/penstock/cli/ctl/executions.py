"""`penstock ctl executions`: run flows, look at executions and steer them. Implements OPS-119 in part, ENG-131."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.cli.ctl.options import Given, connect, output_of, remember
from penstock.cli.spread import spread

if TYPE_CHECKING:
    from penstock.cli.ctl.showing import Column, Output

app = typer.Typer(no_args_is_help=True, help="Run flows, look at executions and steer them.", rich_markup_mode=None)
app.callback()(remember)

Execution = Annotated[str, typer.Argument(metavar="EXECUTION", help="Its id.", show_default=False)]


def _columns() -> list[Column]:
    from penstock.cli.ctl.showing import Column

    return [
        Column("ID", "id"),
        Column("NAMESPACE", "namespace"),
        Column("FLOW", "flowId"),
        Column("STATE", "state.current"),
        Column("STARTED", "state.startDate"),
        Column("DURATION", "state.duration"),
    ]


@app.command("run")
@spread
def run(
    ctx: typer.Context,
    given: Given,
    namespace: Annotated[str, typer.Argument(help="The flow's namespace.", show_default=False)],
    flow: Annotated[str, typer.Argument(metavar="FLOW", help="The flow's id.", show_default=False)],
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end.")] = False,
    inputs: Annotated[
        list[str] | None, typer.Option("--input", "-i", help="name=value, or name=@file for a file. Repeatable.")
    ] = None,
    input_files: Annotated[
        list[str] | None, typer.Option("--input-file", help="A YAML or JSON map of inputs. Repeatable.")
    ] = None,
    labels: Annotated[list[str] | None, typer.Option("--label", help="key=value. Repeatable.")] = None,
    revision: Annotated[int | None, typer.Option("--revision", help="This revision, not the latest.")] = None,
) -> None:
    """Run a flow.

    Exit code: 0 when it was started, or with `--wait` when it ended in SUCCESS or WARNING; 1 otherwise.

    \b
    Examples:
      penstock ctl executions run prod nightly-refresh
      penstock ctl executions run prod nightly-refresh --wait --output json
      penstock ctl executions run prod report -i day=2026-01-31 -i rows=@rows.csv --label team=sales
    """
    from penstock.cli.ctl.launching import Launcher, succeeded
    from penstock.cli.run.given import given_inputs, pairs
    from penstock.cli.terminal import tell

    output = output_of(ctx, given)
    values = given_inputs(inputs or (), input_files or ())
    with connect(ctx, given) as remote:
        launcher = Launcher(remote)
        execution = launcher.start(namespace, flow, values, pairs(labels or (), "--label"), revision)
        if wait:
            tell(f"{execution['id']} has started")
            execution = launcher.ended(str(execution["id"]))
    _show_one(output, execution)
    if wait and not succeeded(execution):
        raise typer.Exit(1)


@app.command("get")
@spread
def get(ctx: typer.Context, given: Given, execution: Execution) -> None:
    """Show an execution with its task runs.

    \b
    Example:
      penstock ctl executions get 5PcXwTzzoqLM5gyKvkZVmT --output json
    """
    output = output_of(ctx, given)
    with connect(ctx, given) as remote:
        found = remote.get(_path(execution))
    _show_one(output, found)


@app.command("list")
@spread
def list_executions(
    ctx: typer.Context,
    given: Given,
    namespace: Annotated[str | None, typer.Argument(help="Only those of this namespace.")] = None,
    flow: Annotated[str | None, typer.Option("--flow", help="Only those of this flow.")] = None,
    states: Annotated[list[str] | None, typer.Option("--state", help="Only those in this state. Repeatable.")] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            help="Only those of this last time, such as PT24H; by default as far back as the server's lists reach.",
        ),
    ] = None,
    size: Annotated[int, typer.Option("--size", min=1, max=100, help="How many at most.")] = 25,
) -> None:
    """List executions, newest first.

    \b
    Examples:
      penstock ctl executions list prod --state FAILED --since PT24H
      penstock ctl executions list prod --flow nightly-refresh --output json
    """
    from penstock.cli.ctl.showing import show
    from penstock.cli.remote import given as present

    wanted = {
        "filters[namespace][EQUALS]": namespace,
        "filters[flowId][EQUALS]": flow,
        "filters[state][IN]": ",".join(state.upper() for state in states) if states else None,
        "filters[timeRange][EQUALS]": since,
    }
    output = output_of(ctx, given)
    with connect(ctx, given) as remote:
        found = remote.get(
            "executions/search", size=size, bodies="false", sort="state.startDate:desc", **present(wanted)
        )
    show(output, found["results"], _columns(), empty="no executions found")


@app.command("logs")
@spread
def logs(
    ctx: typer.Context,
    given: Given,
    execution: Execution,
    level: Annotated[str | None, typer.Option("--level", help="From this level on, such as WARN.")] = None,
) -> None:
    """Show the log of an execution.

    \b
    Example:
      penstock ctl executions logs 5PcXwTzzoqLM5gyKvkZVmT --level WARN
    """
    from penstock.cli.ctl.showing import Output, document
    from penstock.cli.remote import path_of
    from penstock.cli.terminal import say

    output = output_of(ctx, given)
    with connect(ctx, given) as remote:
        found = remote.get(path_of("logs", execution), minLevel=level and level.upper())
    if output is not Output.TABLE:
        say(document(output, found))
        return
    for line in found:
        where = f" {line['taskId']}" if line.get("taskId") else ""
        say(f"{line.get('timestamp')} {line.get('level', ''):<5}{where}: {line.get('message', '')}")


def _add_steering(name: str, does: str, said: str, *, method: str = "POST") -> None:
    """Add a command that has the server do one thing to an execution, named in the API as it is here."""

    @spread
    def steer(ctx: typer.Context, given: Given, execution: Execution) -> None:
        from penstock.cli.terminal import say

        with connect(ctx, given) as remote:
            remote.ask(method, f"{_path(execution)}/{name}")
        say(f"{execution} {said}")

    example = f"\b\nExample:\n  penstock ctl executions {name} 5PcXwTzzoqLM5gyKvkZVmT"
    app.command(name, help=f"{does}\n\n{example}")(steer)


_add_steering("kill", "Stop an execution, and those it waits for.", "is being killed", method="DELETE")
_add_steering("pause", "Hold an execution: what runs goes on, nothing new begins.", "is being paused")
_add_steering("resume", "Let a paused execution go on.", "goes on")
_add_steering("restart", "Run the failed task runs of an ended execution again.", "runs again")


@app.command("replay")
@spread
def replay(ctx: typer.Context, given: Given, execution: Execution) -> None:
    """Run an execution again as a new one.

    \b
    Example:
      penstock ctl executions replay 5PcXwTzzoqLM5gyKvkZVmT
    """
    output = output_of(ctx, given)
    with connect(ctx, given) as remote:
        found = remote.ask("POST", f"{_path(execution)}/replay").json()
    _show_one(output, found)


def _show_one(output: Output, execution: dict[str, Any]) -> None:
    from penstock.cli.ctl.showing import Column, Output, show
    from penstock.cli.terminal import say

    show(output, execution, _columns())
    if output is not Output.TABLE:
        return
    if runs := execution.get("taskRunList"):
        columns = [
            Column("TASK", "taskId"),
            Column("VALUE", "value"),
            Column("STATE", "state.current"),
            Column("DURATION", "state.duration"),
        ]
        say()
        show(output, runs, columns)
    if outputs := execution.get("outputs"):
        say()
        show(output, [{"name": name, "value": value} for name, value in outputs.items()],
             [Column("OUTPUT", "name"), Column("VALUE", "value")])  # fmt: skip


def _path(execution: str) -> str:
    from penstock.cli.remote import path_of

    return path_of("executions", execution)
