"""`penstock namespace`: files and pairs of namespaces on a server. Implements OPS-113, GOV-030 in part."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penstock.cli.options import Api
from penstock.cli.spread import spread

app = typer.Typer(no_args_is_help=True, help="Work with namespaces of a server.", rich_markup_mode=None)
files = typer.Typer(no_args_is_help=True, help="Files of namespaces.", rich_markup_mode=None)
kv = typer.Typer(no_args_is_help=True, help="Key-value pairs of namespaces.", rich_markup_mode=None)
app.add_typer(files, name="files")
app.add_typer(kv, name="kv")

Namespace = Annotated[str, typer.Argument(help="The namespace.", show_default=False)]


@files.callback()
def _files() -> None:
    pass


@kv.callback()
def _kv() -> None:
    pass


@files.command("update")
@spread
def update_files(
    namespace: Namespace,
    source: Annotated[Path, typer.Argument(metavar="FROM", help="A file or folder here.")],
    api: Api,
    target: Annotated[str, typer.Argument(metavar="[TO]", help="The folder there.")] = "/",
    delete: Annotated[bool, typer.Option("--delete", help="Delete files there that are not here.")] = False,
) -> None:
    """Make files of a namespace those of a folder; what is the same already is left alone.

    \b
    Examples:
      penstock namespace files update company.team ./scripts
      penstock namespace files update company.team ./scripts /scripts --delete --api-token TOKEN
    """
    from penstock.cli.pushing import sync_files
    from penstock.cli.terminal import say

    with api.remote() as remote:
        counts = sync_files(remote, namespace, source, "" if target == "." else target, delete=delete)
    say(", ".join(f"{number} {action}" for action, number in counts.items()) or f"there are no files in {source}")


@kv.command("update")
@spread
def update_pair(
    namespace: Namespace,
    key: Annotated[str, typer.Argument(help="The key.", show_default=False)],
    api: Api,
    value: Annotated[str | None, typer.Argument(help="The value.", show_default=False)] = None,
    expiration: Annotated[
        str | None, typer.Option("--expiration", "-e", help="How long it lives, such as 1d, 12h or PT1H.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option("--type", "-t", help="STRING, NUMBER, BOOLEAN, DATETIME, DATE, DURATION or JSON.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file-value", "-f", help="Read the value from this file, instead.")
    ] = None,
) -> None:
    """Set a key-value pair.

    \b
    Examples:
      penstock namespace kv update company.team my-key "my value" -e 1d
      penstock namespace kv update company.team settings --file-value settings.json -t JSON
    """
    from penstock.base.durations import format_duration, parse_setting_duration
    from penstock.base.errors import InvalidRequestError
    from penstock.cli.ctl.pairs import put_pair
    from penstock.cli.terminal import say
    from penstock.cli.texts import text_of

    if (value is None) == (file is None):
        raise InvalidRequestError("a pair has one value", hint="give it after the key, or by --file-value")
    content = value if file is None else text_of(file)
    ttl = format_duration(parse_setting_duration(expiration)) if expiration else None
    with api.remote() as remote:
        put_pair(remote, namespace, key, content or "", kind=kind, ttl=ttl)
    say(f"{key} is set in {namespace}")
