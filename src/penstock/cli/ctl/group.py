"""`penstock ctl` as a part of `penstock`: its many commands are loaded when one is wanted, and slow no other down."""

from __future__ import annotations

from functools import cached_property

import typer
import typer.main
from typer.core import TyperCommand, TyperGroup

from penstock.cli.ctl.options import remember


class Group(TyperGroup):
    """The group of commands that `kestractl` is."""

    @cached_property
    def _loaded(self) -> TyperGroup:
        from penstock.cli.ctl.app import app as whole

        loaded = typer.main.get_command(whole)
        assert isinstance(loaded, TyperGroup)
        return loaded

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # typer calls it with this
        """Return the names of the commands."""
        return list(self._loaded.commands)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> TyperCommand | TyperGroup | None:  # type: ignore[override]
        """Return a command."""
        found = self._loaded.commands.get(cmd_name)
        assert found is None or isinstance(found, TyperCommand | TyperGroup)
        return found


HELP = """Work with a server through its API: flows, executions, files, pairs, triggers.

\b
Examples:
  penstock ctl config add default http://localhost:8080 main --username me@example.com --default
  penstock ctl flows deploy ./flows --namespace prod --override --fail-fast
  penstock ctl executions run prod nightly-refresh --wait --output json
"""
app = typer.Typer(cls=Group, no_args_is_help=True, help=HELP, rich_markup_mode=None)
app.callback()(remember)
