"""`penstock server`: start a server or one of its components.

Implements OPS-001, OPS-107, OPS-109, OPS-110, ENG-010, ENG-386.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penstock.cli.options import Config, InternalLog, LogLevel, PluginsPath, Port, Verbose

if TYPE_CHECKING:
    from penstock.cli.serving import Start

app = typer.Typer(no_args_is_help=True, help="Start a server or one of its components.", rich_markup_mode=None)

FlowPath = Annotated[
    Path | None, typer.Option("--flow-path", "-f", help="Folder whose flows are loaded into their namespaces at start.")
]
Host = Annotated[str | None, typer.Option("--host", help="Address to listen on.")]
Threads = Annotated[int | None, typer.Option("--worker-thread", min=1, help="How many tasks may run at once.")]
Data = Annotated[
    Path | None, typer.Option("--data", help="Folder of database and files; .penstock here, or in your home.")
]
Tutorials = Annotated[bool, typer.Option("--no-tutorials", help="Load no tutorial flows.")]
Indexer = Annotated[bool, typer.Option("--no-indexer", help="Accepted; there is nothing to index.")]


def _start(config: Path | None, verbose: int, log_level: str, internal: bool, plugins: Path | None) -> Start:
    from penstock.cli.serving import Start

    return Start(config=config, verbose=verbose, log_level=log_level, internal_log=internal, plugins=plugins)


@app.command("local")
def local(
    config: Config = None,
    port: Port = None,
    host: Host = None,
    data: Data = None,
    flow_path: FlowPath = None,
    threads: Threads = None,
    no_tutorials: Tutorials = False,
    verbose: Verbose = 0,
    log_level: LogLevel = "INFO",
    internal_log: InternalLog = False,
    plugins: PluginsPath = None,
) -> None:
    """Start everything in one process, with an embedded database and files in one folder.

    The first start makes an account and shows its password once, unless the configuration names one.

    \b
    Examples:
      penstock server local
      penstock server local --port 9000 --data ./data --flow-path ./flows
      KESTRA_SERVER_BASIC_AUTH_USERNAME=me@example.com KESTRA_SERVER_BASIC_AUTH_PASSWORD=Secret123 penstock server local
    """
    start = _start(config, verbose, log_level, internal_log, plugins)
    start.local(data=data, port=port, host=host, flow_path=flow_path, threads=threads)


@app.command("standalone")
def standalone(
    config: Config = None,
    port: Port = None,
    host: Host = None,
    flow_path: FlowPath = None,
    threads: Threads = None,
    no_tutorials: Tutorials = False,
    verbose: Verbose = 0,
    log_level: LogLevel = "INFO",
    internal_log: InternalLog = False,
    plugins: PluginsPath = None,
) -> None:
    """Start all components in one process on the configured database.

    \b
    Examples:
      penstock server standalone --config /etc/config/application.yaml
      penstock server standalone --worker-thread=128 --flow-path /flows
    """
    from penstock.wiring.plan import ALL_ROLES

    start = _start(config, verbose, log_level, internal_log, plugins)
    start.component(ALL_ROLES, port=port, host=host, flow_path=flow_path, threads=threads)


@app.command("executor")
def executor(
    config: Config = None,
    flow_path: FlowPath = None,
    verbose: Verbose = 0,
    log_level: LogLevel = "INFO",
    internal_log: InternalLog = False,
    plugins: PluginsPath = None,
) -> None:
    """Start an executor: it decides what happens next in executions.

    \b
    Example:
      penstock server executor --config application.yml
    """
    from penstock.wiring.plan import Role

    start = _start(config, verbose, log_level, internal_log, plugins)
    start.component({Role.EXECUTOR}, flow_path=flow_path)


@app.command("worker")
def worker(
    config: Config = None,
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
    verbose: Verbose = 0,
    log_level: LogLevel = "INFO",
    internal_log: InternalLog = False,
    plugins: PluginsPath = None,
) -> None:
    """Start a worker: it runs tasks, next to the database or from anywhere over HTTPS.

    \b
    Examples:
      penstock server worker --config application.yml --thread 64
      penstock server worker --server-url https://flows.example.com --token-file /run/secrets/worker-token
    """
    from penstock.wiring.plan import Role

    start = _start(config, verbose, log_level, internal_log, plugins)
    if server_url is not None:
        start.remote_worker(server_url, token_file, threads=threads, group=group)
    else:
        start.component({Role.WORKER}, threads=threads, worker_group=group)


@app.command("scheduler")
def scheduler(
    config: Config = None,
    verbose: Verbose = 0,
    log_level: LogLevel = "INFO",
    internal_log: InternalLog = False,
    plugins: PluginsPath = None,
) -> None:
    """Start a scheduler: it starts flows at the dates of their triggers.

    \b
    Example:
      penstock server scheduler --config application.yml
    """
    from penstock.wiring.plan import Role

    _start(config, verbose, log_level, internal_log, plugins).component({Role.SCHEDULER})


@app.command("webserver")
def webserver(
    config: Config = None,
    port: Port = None,
    host: Host = None,
    no_tutorials: Tutorials = False,
    no_indexer: Indexer = False,
    verbose: Verbose = 0,
    log_level: LogLevel = "INFO",
    internal_log: InternalLog = False,
    plugins: PluginsPath = None,
) -> None:
    """Start a web server: API and interface.

    \b
    Example:
      penstock server webserver --config application.yml --port 8080
    """
    from penstock.wiring.plan import Role

    start = _start(config, verbose, log_level, internal_log, plugins)
    start.component({Role.WEBSERVER}, port=port, host=host)


@app.command("indexer")
def indexer(
    config: Config = None,
    verbose: Verbose = 0,
    log_level: LogLevel = "INFO",
    internal_log: InternalLog = False,
    plugins: PluginsPath = None,
) -> None:
    """Accepted for existing deployments; the database is searched as it is, so there is nothing to index.

    \b
    Example:
      penstock server indexer --config application.yml
    """
    from penstock.wiring.plan import Role

    _start(config, verbose, log_level, internal_log, plugins).component({Role.INDEXER})
