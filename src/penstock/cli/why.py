"""`penstock why`: what an execution, a task run or a trigger waits for. Implements BEY-002."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer

from penstock.base.errors import NotFoundError
from penstock.cli.terminal import say


def why(
    asked: Annotated[str, typer.Argument(metavar="ID", help="Execution, task run, or namespace/flow/trigger.")],
    server: Annotated[str, typer.Option("--server", help="The server to ask.")] = "http://localhost:8080",
    user: Annotated[str | None, typer.Option("--user", help="user:password for --server.")] = None,
    tenant: Annotated[str, typer.Option("--tenant", help="The tenant on the server.")] = "main",
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Tell what an execution, a task run or a trigger waits for, since when, and what removes it.

    \b
    Examples:
      penstock why 5PcXwTzzoqLM5gyKvkZVmT
      penstock why company.team/reports/every_night
      penstock why 5PcXwTzzoqLM5gyKvkZVmT --server https://penstock.example.com --user me@example.com:secret
    """
    kinds = ["trigger"] if asked.count("/") == 2 else ["execution", "taskrun"]
    body = _ask(server, user, tenant, [f"why/{kind}/{asked}" for kind in kinds])
    if body is None:
        raise NotFoundError(
            f"{server} knows no {' or '.join(kinds)} {asked}",
            hint="a task run is known until its execution ends; a trigger is written namespace/flow/trigger",
        )
    if as_json:
        say(json.dumps(body, indent=2))
        return
    say(f"{body['state']}: {body['sentence']}.")
    for line in _lines(body["blockers"], ""):
        say(line)


def _ask(server: str, user: str | None, tenant: str, paths: Iterable[str]) -> dict[str, Any] | None:
    """Return the first answer that is not about something unknown."""
    from penstock.cli.remote import Address, Remote

    with Remote(Address.of(server, user, tenant), login_hint="give --user name:password") as remote:
        answers = (remote.find(path) for path in paths)
        return next((answer for answer in answers if answer is not None), None)


def _lines(blockers: Iterable[Mapping[str, Any]], indent: str) -> Iterable[str]:
    """Yield blockers as lines; what is behind one stands below it, further in."""
    for one in blockers:
        since = f" (since {one['since']})" if "since" in one else ""
        yield f"{indent}- {one['sentence']}{since}"
        if "action" in one:
            yield f"{indent}  what helps: {one['action']}"
        yield from _lines(one.get("because", ()), indent + "  ")
