"""Which database the settings mean. Implements OPS-016 (allowed pairs), OPS-017 (JDBC addresses), OPS-051."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote, urlsplit

from penstock.wiring.config.errors import ConfigurationError
from penstock.wiring.config.settings import DataSource, Settings

MEMORY = "sqlite://"
"""An embedded database that lives as long as the process."""
_FILE_SETTINGS = re.compile(r";.*$")


def database_url(settings: Settings) -> str:
    """Return the address of the server's database as `penstock.store` takes it.

    Raises:
        ConfigurationError: A key is missing, the pair of types is not allowed, or the address is of no known kind.
    """
    kind = _kind(settings)
    if kind == "memory":
        return MEMORY
    source: DataSource = getattr(settings.datasources, kind)
    if not source.url:
        raise ConfigurationError(
            f"datasources.{kind}.url is missing", hint=f"kestra.repository.type is {kind}: say where that database is"
        )
    return _postgres_url(source) if kind == "postgres" else _sqlite_url(source.url)


def _kind(settings: Settings) -> str:
    repository, queue = settings.kestra.repository.type, settings.kestra.queue.type
    for key, value in (("kestra.repository.type", repository), ("kestra.queue.type", queue)):
        if value is None:
            raise ConfigurationError(f"{key} is missing", hint="set it to postgres, h2 (embedded) or memory")
    if repository != queue:
        raise ConfigurationError(
            f"kestra.repository.type is {repository} and kestra.queue.type is {queue}",
            hint="both must name the same database",
        )
    if repository in ("mysql", "elasticsearch", "kafka"):
        raise ConfigurationError(
            f"kestra.repository.type `{repository}` is not available in this version", hint="use postgres, h2 or memory"
        )
    return str(repository)


def _postgres_url(source: DataSource) -> str:
    url = (source.url or "").removeprefix("jdbc:")
    if not url.startswith(("postgresql://", "postgres://")):
        raise ConfigurationError(
            f"datasources.postgres.url `{url.split('@')[-1]}` is no PostgreSQL address",
            hint="write jdbc:postgresql://host:5432/database",
        )
    parts = urlsplit(url)
    account, _, hosts = parts.netloc.rpartition("@")
    if not account and source.username:
        password = f":{quote(source.password.get_secret_value(), safe='')}" if source.password else ""
        account = f"{quote(source.username, safe='')}{password}"
    query = [parts.query] if parts.query else []
    if "," in hosts:  # a server and its standbys: whichever writes is used
        query = [*(f"host={host}" for host in hosts.split(",")), *query]
        hosts = ""
    before = f"{account}@" if account else ""
    after = f"?{'&'.join(query)}" if query else ""
    return f"postgresql://{before}{hosts}{parts.path}{after}"


def _sqlite_url(url: str) -> str:
    """Return the embedded database an H2 or SQLite address means: H2's options have no meaning here."""
    address = _FILE_SETTINGS.sub("", url)
    if address.startswith("sqlite:"):
        return address
    if address.startswith("jdbc:sqlite:"):
        return sqlite_file(Path(address.removeprefix("jdbc:sqlite:")))
    if address.startswith("jdbc:h2:mem:"):
        return MEMORY
    if address.startswith("jdbc:h2:"):
        path = Path(address.removeprefix("jdbc:h2:").removeprefix("file:"))
        return sqlite_file(path.with_name(path.name + ".db"))
    raise ConfigurationError(
        f"`{address}` is no address of an embedded database",
        hint="write jdbc:h2:file:/app/data/database, jdbc:h2:mem:public or sqlite:////app/data/penstock.db",
    )


def sqlite_file(path: Path) -> str:
    """Return the address of an embedded database in a file."""
    return f"sqlite:///{path.expanduser().resolve()}"
