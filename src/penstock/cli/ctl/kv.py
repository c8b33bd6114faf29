"""`penstock ctl kv`: key-value pairs. Implements OPS-119 in part (`kv`), ENG-370."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any

import typer

from penstock.cli.ctl.options import Given, connect, output_of, remember
from penstock.cli.spread import spread

app = typer.Typer(no_args_is_help=True, help="Read and write key-value pairs.", rich_markup_mode=None)
app.callback()(remember)

Namespace = Annotated[str, typer.Argument(help="The pair's namespace.", show_default=False)]
Key = Annotated[str, typer.Argument(help="Its key.", show_default=False)]
Value = Annotated[str, typer.Argument(help="JSON, a date, a duration or plain text; - reads it from standard input.")]


@dataclass(frozen=True, slots=True)
class About:
    """Options that say more of a pair than its value."""

    kind: Annotated[
        str | None, typer.Option("--type", help="STRING, NUMBER, BOOLEAN, DATETIME, DATE, DURATION or JSON.")
    ] = None
    ttl: Annotated[str | None, typer.Option("--ttl", help="How long it lives, such as PT1H; for ever without.")] = None
    description: Annotated[str | None, typer.Option("--description", help="What it is for.")] = None


@app.command("list")
@spread
def list_pairs(
    ctx: typer.Context,
    given: Given,
    namespace: Annotated[str | None, typer.Argument(help="Only pairs of this namespace.")] = None,
) -> None:
    """List pairs without their values.

    \b
    Examples:
      penstock ctl kv list
      penstock ctl kv list my.namespace --output json
    """
    from penstock.cli.ctl.showing import Column, show
    from penstock.cli.remote import path_of

    output = output_of(ctx, given)
    with connect(ctx, given) as remote:
        found = remote.get(path_of("namespaces", namespace, "kv")) if namespace else list(remote.pages("kv"))
    columns = [
        Column("NAMESPACE", lambda row: row.get("namespace") or namespace),
        Column("KEY", "key"),
        Column("UPDATED", "updateDate"),
        Column("EXPIRES", "expirationDate"),
        Column("DESCRIPTION", "description"),
    ]
    show(output, found, columns, empty="no pairs found")


@app.command("get")
@spread
def get(
    ctx: typer.Context,
    given: Given,
    namespace: Namespace,
    key: Key,
    raw: Annotated[bool, typer.Option("--raw", help="Print the value alone.")] = False,
) -> None:
    """Show a pair.

    \b
    Examples:
      penstock ctl kv get my.namespace greeting
      penstock ctl kv get my.namespace greeting --raw
    """
    import json

    from penstock.cli.ctl.pairs import pair_path
    from penstock.cli.ctl.showing import Column, show
    from penstock.cli.terminal import say

    output = output_of(ctx, given)
    with connect(ctx, given) as remote:
        found = remote.get(pair_path(namespace, key))
    value = found.get("value")
    if raw:
        say(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        return
    show(output, found, [Column("KEY", lambda _: key), Column("TYPE", "type"), Column("VALUE", "value")])


@app.command("set")
@spread
def set_pair(ctx: typer.Context, given: Given, namespace: Namespace, key: Key, value: Value, about: About) -> None:
    """Set a pair, whether it exists or not.

    The value's type is the one it shows by itself, unless `--type` says otherwise.

    \b
    Examples:
      penstock ctl kv set my.namespace greeting "Hello World"
      penstock ctl kv set my.namespace limit 42 --type STRING --ttl P1D
      penstock ctl kv set my.namespace settings - < settings.json
    """
    from penstock.cli.ctl.pairs import put_pair

    with connect(ctx, given) as remote:
        put_pair(remote, namespace, key, _read(value), **asdict(about))
    _say(f"{key} is set in {namespace}")


@app.command("update")
@spread
def update(ctx: typer.Context, given: Given, namespace: Namespace, key: Key, value: Value, about: About) -> None:
    """Change a pair that exists; it is an error when it does not.

    \b
    Example:
      penstock ctl kv update my.namespace greeting "Hello again"
    """
    from penstock.cli.ctl.pairs import pair_path, put_pair

    with connect(ctx, given) as remote:
        remote.get(pair_path(namespace, key))
        put_pair(remote, namespace, key, _read(value), **asdict(about))
    _say(f"{key} is updated in {namespace}")


@app.command("delete")
@spread
def delete(ctx: typer.Context, given: Given, namespace: Namespace, key: Key) -> None:
    """Remove a pair; it is an error when there is none.

    \b
    Example:
      penstock ctl kv delete my.namespace greeting
    """
    from penstock.base.errors import NotFoundError
    from penstock.cli.ctl.pairs import pair_path

    with connect(ctx, given) as remote:
        answer: Any = remote.ask("DELETE", pair_path(namespace, key)).text.strip()
    if answer == "false":
        raise NotFoundError(f"there is no key `{key}` in namespace {namespace}")
    _say(f"{key} is deleted from {namespace}")


def _read(value: str) -> str:
    import sys

    return sys.stdin.read() if value == "-" else value


def _say(text: str) -> None:
    from penstock.cli.terminal import say

    say(text)
