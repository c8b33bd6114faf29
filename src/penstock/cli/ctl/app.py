"""`penstock ctl`, which is the command `kestractl` too. Implements OPS-119 to OPS-122."""

from __future__ import annotations

from typing import Annotated

import typer

from penstock.cli.ctl import config, executions, flows, kv, namespaces, nsfiles, secrets, triggers
from penstock.cli.ctl.group import HELP
from penstock.cli.ctl.options import Given, output_of, remember
from penstock.cli.spread import spread

app = typer.Typer(
    name="kestractl",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=HELP,
)
app.callback()(remember)
app.add_typer(config.app, name="config")
app.add_typer(flows.app, name="flows")
app.add_typer(executions.app, name="executions")
app.add_typer(namespaces.app, name="namespaces")
app.add_typer(nsfiles.app, name="nsfiles")
app.add_typer(kv.app, name="kv")
app.add_typer(secrets.app, name="secrets")
app.add_typer(triggers.app, name="triggers")


@app.command("completion")
def completion(
    ctx: typer.Context,
    shell: Annotated[str, typer.Argument(metavar="SHELL", help="bash, zsh, fish or powershell.")],
) -> None:
    """Print a script that has a shell complete commands and options.

    \b
    Examples:
      source <(penstock ctl completion bash)
      kestractl completion fish > ~/.config/fish/completions/kestractl.fish
    """
    from penstock.cli.completing import completion_script
    from penstock.cli.terminal import say

    program = (ctx.find_root().info_name or "").rpartition("/")[2]
    # `python -m penstock` is no name that a shell completes: the program of that name is meant.
    say(completion_script("penstock" if not program or " " in program else program, shell))


@app.command("version")
@spread
def version(ctx: typer.Context, given: Given) -> None:
    """Show the version.

    \b
    Examples:
      penstock ctl version
      penstock ctl version -o json
    """
    from penstock.cli.ctl.showing import Output, document
    from penstock.cli.terminal import say
    from penstock.wiring.version import version_facts, version_line

    output = output_of(ctx, given)
    say(version_line() if output is Output.TABLE else document(output, version_facts()))
