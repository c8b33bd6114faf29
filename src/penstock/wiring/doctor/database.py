"""Whether the database answers, may be written, and has this release's schema."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from penstock.base.errors import UnavailableError
from penstock.store.probe import DatabaseFacts, probe
from penstock.wiring.datasource import MEMORY, database_url
from penstock.wiring.doctor.findings import Finding, Patient, Subject
from penstock.wiring.doctor.folders import room_to_write

_SUBJECT = Subject("database")
_OLDEST_POSTGRES, _OLDEST_SQLITE = (14,), (3, 35)
_DRIFT_SECONDS = 5
_SQLITE = "sqlite:///"


def check_database(patient: Patient) -> Iterator[Finding]:
    """Look at the configured database."""
    url = database_url(patient.configuration.settings)
    if url == MEMORY:
        yield _SUBJECT.ok("lives in memory; all is forgotten when the server stops")
    elif url.startswith(_SQLITE):
        yield from _embedded(Path(unquote(url.removeprefix(_SQLITE).partition("?")[0])), url, patient)
    else:
        yield from _postgres(url, patient)


def _embedded(file: Path, url: str, patient: Patient) -> Iterator[Finding]:
    yield from room_to_write(_SUBJECT, file.parent)
    if not file.exists():
        yield _SUBJECT.ok(f"{file} is made when a server starts")
        return
    try:
        facts = probe(url)
    except UnavailableError as error:
        mended = shlex.quote(f"{file}.damaged")
        yield _SUBJECT.failure(
            f"{file}: {error.message}", f"mv {shlex.quote(str(file))} {mended}  # and restore a backup"
        )
        return
    if facts.version < _OLDEST_SQLITE:
        yield _SUBJECT.failure(
            f"SQLite {_dotted(facts.version)} is too old, {_dotted(_OLDEST_SQLITE)} is needed",
            "use a newer Python, which brings its own SQLite: uv python install 3.13",
        )
    yield _schema(facts, patient, str(file))


def _postgres(url: str, patient: Patient) -> Iterator[Finding]:
    try:
        facts = probe(url)
    except UnavailableError as error:
        yield _SUBJECT.failure(f"PostgreSQL: {error.message}", _way_back(url, error.message))
        return
    if facts.version < _OLDEST_POSTGRES:
        yield _SUBJECT.failure(
            f"PostgreSQL {_dotted(facts.version)} is too old, {_dotted(_OLDEST_POSTGRES)} is needed",
            "pg_upgrade, or move to a newer server with pg_dump and pg_restore",
        )
    if not facts.may_create:
        user = unquote(urlsplit(url).username or "penstock")
        statement = f'GRANT CREATE ON SCHEMA public TO "{user}"'
        yield _SUBJECT.failure(
            f"the user {user} may not create tables", f"{_client('psql', url, user='postgres')} -c '{statement}'"
        )
    yield _schema(facts, patient, f"PostgreSQL {_dotted(facts.version)}")
    drift = abs(time.time() - facts.clock) if facts.clock is not None else 0.0
    if drift > _DRIFT_SECONDS:
        yield _SUBJECT.warning(
            f"its clock and that of this machine are {drift:.0f} seconds apart", "sudo timedatectl set-ntp true"
        )


def _schema(facts: DatabaseFacts, patient: Patient, name: str) -> Finding:
    if facts.schema.version is None or facts.schema.is_current:
        return _SUBJECT.ok(f"{name}: {facts.schema}")
    if facts.schema.is_known:
        return _SUBJECT.failure(f"{name}: {facts.schema}", _migrate(patient))
    return _SUBJECT.failure(f"{name}: {facts.schema}", "python -m pip install --upgrade penstock")


def _migrate(patient: Patient) -> str:
    if patient.data is not None:
        return f"penstock migrate --data {shlex.quote(str(patient.data))}"
    files = [f" --config {shlex.quote(str(file))}" for file in patient.configuration.files]
    return "penstock migrate" + "".join(files)


def _way_back(url: str, reason: str) -> str:
    """Return the command that helps when PostgreSQL refuses, as it says why."""
    parts = urlsplit(url)
    user = unquote(parts.username or "postgres")
    name = unquote(parts.path.lstrip("/")) or user
    if "database" in reason and "does not exist" in reason:
        return (
            f"{_client('createdb', url, database='', user='postgres')} --owner {shlex.quote(user)} {shlex.quote(name)}"
        )
    if "authentication failed" in reason or "role" in reason:
        return f"{_client('psql', url, database='postgres', user='postgres')} -c '\\password {user}'"
    if parts.hostname in ("localhost", "127.0.0.1", "::1", None):
        return "sudo systemctl start postgresql"
    return f"{_client('pg_isready', url, database='')}  # then correct datasources.postgres.url, or open the firewall"


def _client(program: str, url: str, *, database: str | None = None, user: str | None = None) -> str:
    parts = urlsplit(url)
    name = unquote(parts.path.lstrip("/")) if database is None else database
    words = [program, "-h", parts.hostname or "localhost", "-p", str(parts.port or 5432)]
    words += ["-U", user] if user else []
    words += ["-d", name] if name else []
    return shlex.join(words)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
