"""The commands `penstock` (also installed as `kestra`) and `kestractl`.

Implements OPS-106, OPS-107 and the groups named below.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Annotated

import typer

from penstock.base.errors import PenstockError
from penstock.cli import auth, configs, db, doctor, expression, flow, migrate, namespace, plugins, server, why
from penstock.cli.completing import answer_shells
from penstock.cli.ctl import group as ctl
from penstock.cli.run import command as run_command
from penstock.cli.test import command as test_command
from penstock.wiring.process import collect_less_often

app = typer.Typer(
    name="penstock",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Run declarative workflows written in YAML.

    \b
    Examples:
      penstock run hello.yaml                     run a flow here and now, no server needed
      penstock flow validate flows/               check flow files
      penstock server local                       start a server with its web interface on port 8080
    """,
)
app.command("run", context_settings={"help_option_names": ["-h", "--help"]})(run_command.run)
app.command("test")(test_command.run_tests)
app.add_typer(server.app, name="server")
app.add_typer(ctl.app, name="ctl")
app.add_typer(auth.app, name="auth")
app.add_typer(flow.app, name="flow")
app.add_typer(namespace.app, name="namespace")
app.add_typer(expression.app, name="expression")
app.add_typer(plugins.app, name="plugins")
app.add_typer(plugins.app, name="plugin", hidden=True)
app.add_typer(configs.app, name="configs")
app.add_typer(db.app, name="db")
app.add_typer(migrate.app, name="migrate")
app.command("doctor")(doctor.doctor)
app.command("why")(why.why)


def _version(wanted: bool) -> None:
    if wanted:
        from penstock.wiring.version import version_line

        typer.echo(version_line())
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


@app.command("version")
def version() -> None:
    """Show the version of Penstock and of Python.

    \b
    Example:
      penstock version
    """
    from penstock.wiring.version import version_line

    typer.echo(version_line())


def _drop_unwritten() -> None:
    """Write what is left; where that is impossible let it go, which has been told, or the interpreter complains."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _open_closed_streams() -> None:
    """Open standard streams that the caller has closed on nothing; else what comes next would take their numbers."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115  # until the program ends


def main() -> None:
    """Run the command line."""
    _run(app)


def client() -> None:
    """Run `penstock ctl` as the command `kestractl`."""
    from penstock.cli.ctl.app import app as whole

    _run(whole)


def _run(program: typer.Typer) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _open_closed_streams()
    collect_less_often()
    answer_shells()
    try:
        program()
    except PenstockError as error:
        from penstock.cli.errors import show_error

        show_error(error)
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
    except OSError as error:
        from penstock.cli.errors import refusal, show_error

        if (refused := refusal(error)) is None:
            raise
        show_error(refused)
        sys.exit(1)
    finally:
        _drop_unwritten()
