"""The options of every `penstock ctl` command, before or after its name, and what they open. Implements OPS-120."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penstock.cli.spread import spread

if TYPE_CHECKING:
    from penstock.cli.ctl.contexts import ContextFile
    from penstock.cli.ctl.contexts import Given as Source
    from penstock.cli.ctl.showing import Output
    from penstock.cli.remote import Address, Remote

_LOGIN_HINT = (
    "keep a login with `penstock ctl config add`, or set KESTRACTL_USERNAME and KESTRACTL_PASSWORD, or KESTRACTL_TOKEN"
)


@dataclass(frozen=True, slots=True)
class Given:
    """Options that say which server is meant and how answers are shown."""

    host: Annotated[str | None, typer.Option("--host", help="Address of the server.")] = None
    tenant: Annotated[str | None, typer.Option("--tenant", help="Its tenant; main.")] = None
    token: Annotated[str | None, typer.Option("--token", "-t", help="API token.")] = None
    username: Annotated[str | None, typer.Option("--username", help="User name.")] = None
    password: Annotated[
        str | None,
        typer.Option(
            "--password", help="Its password; other users of this machine may see it, KESTRACTL_PASSWORD they do not."
        ),
    ] = None
    output: Annotated[str | None, typer.Option("--output", "-o", help="table, json or yaml.")] = None
    config: Annotated[Path | None, typer.Option("--config", help="File with contexts; ~/.kestractl/config.yaml.")] = (
        None
    )
    context: Annotated[str | None, typer.Option("--context", help="A context of it, instead of the default.")] = None
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tell each request.")] = False


@dataclass(frozen=True, slots=True)
class Pause:
    """Options of whatever is paused."""

    until: Annotated[
        str | None, typer.Option("--until", help="When it ends by itself: a date, or a duration from now such as PT2H.")
    ] = None
    reason: Annotated[str | None, typer.Option("--reason", help="Why; everybody sees it.")] = None


@spread
def remember(ctx: typer.Context, given: Given) -> None:
    """Keep the options that stand before a command."""
    ctx.obj = merged(ctx, given)


def merged(ctx: typer.Context, given: Given) -> Given:
    """Return the options of a command, those left out taken from before it."""
    before = ctx.obj
    if not isinstance(before, Given):
        return given
    changed = {one.name: value for one in fields(Given) if (value := getattr(given, one.name)) not in (None, False)}
    return replace(before, **changed)


def context_file(ctx: typer.Context, given: Given) -> ContextFile:
    """Return the file with contexts."""
    from penstock.cli.ctl.contexts import DEFAULT_FILE, ContextFile

    return ContextFile(merged(ctx, given).config or DEFAULT_FILE)


def output_of(ctx: typer.Context, given: Given) -> Output:
    """Return how answers are to be shown."""
    from penstock.cli.ctl.contexts import from_environment
    from penstock.cli.ctl.showing import output_named

    return output_named(merged(ctx, given).output or from_environment(os.environ).output or "table")


def _sources(wanted: Given, file: ContextFile) -> tuple[Source, ...]:
    """Return what says which server is meant, the strongest first."""
    from penstock.cli.ctl.contexts import Given as Said
    from penstock.cli.ctl.contexts import from_environment

    flags = Said("the options", wanted.host, wanted.tenant, wanted.token, wanted.username, wanted.password)
    return flags, from_environment(os.environ), file.get(wanted.context)


def connect(ctx: typer.Context, given: Given) -> Remote:
    """Return the server that is meant."""
    from penstock.cli.ctl.contexts import resolve
    from penstock.cli.remote import Remote
    from penstock.cli.terminal import tell

    wanted = merged(ctx, given)
    address = with_password(resolve(_sources(wanted, context_file(ctx, given))))
    return Remote(address, login_hint=_LOGIN_HINT, trace=tell if wanted.verbose else None)


def with_password(address: Address, *, variable: str = "KESTRACTL_PASSWORD") -> Address:
    """Return the address with the password that goes with its user name, asked for where nobody gave it.

    Args:
        address: The address.
        variable: The environment variable that could have given it.

    Raises:
        InvalidRequestError: There is nobody to ask.
    """
    import sys

    from penstock.base.errors import InvalidRequestError

    if not address.username or address.password is not None:
        return address
    if not sys.stdin.isatty():
        raise InvalidRequestError(
            f"there is no password for user {address.username}", hint=f"set the variable {variable}"
        )
    return replace(address, password=typer.prompt("Password", hide_input=True, err=True))
