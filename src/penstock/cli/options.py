"""Options that several commands have. Implements OPS-107."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from penstock.cli.remote import Remote
    from penstock.wiring.config import Configuration

Config = Annotated[
    Path | None, typer.Option("--config", "-c", help="Configuration file; ~/.kestra/config.yml when there is one.")
]
Verbose = Annotated[int, typer.Option("--verbose", "-v", count=True, help="Say more; -vv says everything.")]
LogLevel = Annotated[str, typer.Option("--log-level", "-l", help="TRACE, DEBUG, INFO, WARN or ERROR.")]
InternalLog = Annotated[bool, typer.Option("--internal-log", help="Apply the level to libraries too.")]
PluginsPath = Annotated[
    Path | None, typer.Option("--plugins", "-p", envvar="KESTRA_PLUGINS_PATH", help="Folder with further plugins.")
]
Port = Annotated[int | None, typer.Option("--port", help="Port of API and interface; 8080 by default.")]


@dataclass(frozen=True, slots=True)
class Common:
    """The options of every `penstock server` command; see `penstock.cli.spread`."""

    config: Config = None
    verbose: Verbose = 0
    log_level: LogLevel = "INFO"
    internal_log: InternalLog = False
    plugins: PluginsPath = None


@dataclass(frozen=True, slots=True)
class Local:
    """The options of commands that execute flows here, without a server."""

    flows: Annotated[
        list[Path] | None, typer.Option("--flows", help="Folder with flows that are called. Repeatable.")
    ] = None
    secrets: Annotated[
        list[str] | None, typer.Option("--secret", help="name=value for secret('name'). Repeatable.")
    ] = None
    env_files: Annotated[
        list[Path] | None,
        typer.Option(
            "--env-file",
            help="File such as .env with NAME=value lines, for ENV_... and SECRET_... variables. Repeatable.",
        ),
    ] = None
    config: Config = None


@dataclass(frozen=True, slots=True)
class Api:
    """The options of commands that call a server (OPS-108, IAC-062)."""

    server: Annotated[str, typer.Option("--server", help="Address of the server.")] = "http://localhost:8080"
    user: Annotated[str | None, typer.Option("--user", help="user:password there.")] = None
    api_token: Annotated[str | None, typer.Option("--api-token", help="API token there, instead.")] = None
    tenant: Annotated[str, typer.Option("--tenant", help="The tenant there.")] = "main"
    headers: Annotated[
        list[str] | None, typer.Option("--headers", help="name=value, sent with each request. Repeatable.")
    ] = None

    def remote(self) -> Remote:
        """Return the server.

        Raises:
            InvalidRequestError: A header is no pair, or there are two logins.
        """
        from penstock.base.errors import InvalidRequestError
        from penstock.cli.remote import Address, Remote
        from penstock.cli.run.given import pairs

        if self.user and self.api_token:
            raise InvalidRequestError("there are both --user and --api-token", hint="give one of them")
        name, _, password = (self.user or "").partition(":")
        headers = tuple(pairs(self.headers or (), "--headers").items())
        address = Address(self.server, self.tenant, name or None, password, self.api_token, headers)
        return Remote(address, login_hint="give --user name:password, or --api-token")


def configuration(
    file: Path | None,
    *,
    defaults: dict[str, Any] | None = None,
    overrides: dict[str, Any] | None = None,
    told: bool = True,
) -> Configuration:
    """Return the configuration, its warnings shown unless not wanted."""
    from penstock.cli.terminal import tell
    from penstock.wiring.config import load

    found = load(file, defaults=defaults, overrides=overrides)
    for warning in found.warnings if told else ():
        tell(f"warning: {warning}")
    return found


def configuration_here(file: Path | None, data: Path | None, *, told: bool = True) -> tuple[Configuration, Path | None]:
    """Return the configuration of the server there is: with a data folder, or no database set, of `server local`."""
    from penstock.wiring.local import data_folder, local_defaults

    found = configuration(file, told=told)
    if data is None and found.settings.kestra.repository.type is not None:
        return found, None
    data = data_folder(data)
    return configuration(file, defaults=local_defaults(data), told=False), data


def use_plugins(folder: Path | None) -> None:
    """Make the distributions in a folder importable: those installed there, and wheels as they are (OPS-075, PLG-003).

    Python reads wheels without anything compiled in place; others have to be installed.
    """
    import sys

    if folder is not None and folder.is_dir():
        wheels = sorted(folder.glob("*-none-any.whl"))
        sys.path[:0] = [str(one.resolve()) for one in (folder, *wheels)]
