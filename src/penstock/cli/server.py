"""`penstock server`: start a server or one of its components.

Implements OPS-001, OPS-107, OPS-109, OPS-110, ENG-010, ENG-386.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penstock.cli.options import Common, Port
from penstock.cli.spread import spread

if TYPE_CHECKING:
    from penstock.cli.serving import Start
    from penstock.wiring.plan import Role

app = typer.Typer(no_args_is_help=True, help="Start a server or one of its components.", rich_markup_mode=None)

FlowPath = Annotated[
    Path | None, typer.Option("--flow-path", "-f", help="Folder whose flows are loaded into their namespaces at start.")
]
Indexer = Annotated[bool, typer.Option("--no-indexer", help="Accepted; there is nothing to index.")]


@dataclass(frozen=True, slots=True)
class Web:
    """Options of what serves API and interface."""

    port: Port = None
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on.")] = None
    no_tutorials: Annotated[bool, typer.Option("--no-tutorials", help="Load no tutorial flows.")] = False


@dataclass(frozen=True, slots=True)
class Work:
    """Options of what runs everything in one process."""

    flow_path: FlowPath = None
    threads: Annotated[int | None, typer.Option("--worker-thread", min=1, help="How many tasks may run at once.")] = (
        None
    )
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="Run no tasks, for instance to kill what takes the server down.")
    ] = False


def _start(common: Common) -> Start:
    from penstock.cli.serving import Start

    return Start(common)


def _roles(work: Work) -> frozenset[Role]:
    """Return what a process with everything is to be."""
    from penstock.wiring.plan import ALL_ROLES, Role

    return ALL_ROLES - {Role.WORKER} if work.no_worker else ALL_ROLES


@app.command("local")
@spread
def local(
    common: Common,
    web: Web,
    work: Work,
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder of database and files; .penstock here, or in your home.")
    ] = None,
) -> None:
    """Start everything in one process, with an embedded database and files in one folder.

    The first start makes an account and shows its password once, unless the configuration names one.

    \b
    Examples:
      penstock server local
      penstock server local --port 9000 --data ./data --flow-path ./flows
      KESTRA_SERVER_BASIC_AUTH_USERNAME=me@example.com KESTRA_SERVER_BASIC_AUTH_PASSWORD=Secret123 penstock server local
    """
    start = _start(common)
    roles = _roles(work)
    start.local(roles, data=data, port=web.port, host=web.host, flow_path=work.flow_path, threads=work.threads)


@app.command("standalone")
@spread
def standalone(
    common: Common,
    web: Web,
    work: Work,
) -> None:
    """Start all components in one process on the configured database.

    \b
    Examples:
      penstock server standalone --config /etc/config/application.yaml
      penstock server standalone --worker-thread=128 --flow-path /flows
    """
    start = _start(common)
    start.component(_roles(work), port=web.port, host=web.host, flow_path=work.flow_path, threads=work.threads)


@app.command("executor")
@spread
def executor(
    common: Common,
    flow_path: FlowPath = None,
) -> None:
    """Start an executor: it decides what happens next in executions.

    \b
    Example:
      penstock server executor --config application.yml
    """
    from penstock.wiring.plan import Role

    start = _start(common)
    start.component({Role.EXECUTOR}, flow_path=flow_path)


@app.command("worker")
@spread
def worker(
    common: Common,
    threads: Annotated[
        int | None, typer.Option("--thread", "-t", min=1, help="How many tasks may run at once.")
    ] = None,
    group: Annotated[str, typer.Option("--worker-group", "-g", help="The group whose tasks it takes.")] = "",
    server_url: Annotated[
        str | None, typer.Option("--server-url", help="Reach the server over HTTPS instead of its database.")
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", help="File with the worker's token; PENSTOCK_WORKER_TOKEN without one."),
    ] = None,
) -> None:
    """Start a worker: it runs tasks, next to the database or from anywhere over HTTPS.

    \b
    Examples:
      penstock server worker --config application.yml --thread 64
      penstock server worker --server-url https://flows.example.com --token-file /run/secrets/worker-token
    """
    from penstock.wiring.plan import Role

    start = _start(common)
    if server_url is not None:
        start.remote_worker(server_url, token_file, threads=threads, group=group)
    else:
        start.component({Role.WORKER}, threads=threads, worker_group=group)


@app.command("scheduler")
@spread
def scheduler(
    common: Common,
) -> None:
    """Start a scheduler: it starts flows at the dates of their triggers.

    \b
    Example:
      penstock server scheduler --config application.yml
    """
    from penstock.wiring.plan import Role

    _start(common).component({Role.SCHEDULER})


@app.command("webserver")
@spread
def webserver(
    common: Common,
    web: Web,
    no_indexer: Indexer = False,
) -> None:
    """Start a web server: API and interface.

    \b
    Example:
      penstock server webserver --config application.yml --port 8080
    """
    from penstock.wiring.plan import Role

    start = _start(common)
    start.component({Role.WEBSERVER}, port=web.port, host=web.host)


@app.command("indexer")
@spread
def indexer(
    common: Common,
) -> None:
    """Accepted for existing deployments; the database is searched as it is, so there is nothing to index.

    \b
    Example:
      penstock server indexer --config application.yml
    """
    from penstock.wiring.plan import Role

    _start(common).component({Role.INDEXER})
