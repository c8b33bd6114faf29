"""Everything the shell keeps in a database, bundled: opened from an address, closed as one."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from penstock.base.clock import Clock
from penstock.base.errors import InvalidRequestError
from penstock.ports.notifier import Notifier
from penstock.store.assets import SqlAssetStore
from penstock.store.charts import SqlChartReads
from penstock.store.counts import SqlCounts
from penstock.store.dashboards import SqlDashboardStore
from penstock.store.database import Database
from penstock.store.depths import SqlQueueDepths
from penstock.store.documents import SqlDocumentStore
from penstock.store.drafts import SqlDraftStore
from penstock.store.evaluations import SqlEvaluationStore
from penstock.store.flows import SqlFlowStore
from penstock.store.jobs import SqlJobQueue
from penstock.store.journal import SqlJournal
from penstock.store.keyvalues import SqlKeyValueStore
from penstock.store.namespaces import SqlNamespaceStore
from penstock.store.notifier import LocalNotifier
from penstock.store.preferences import SqlPreferenceStore
from penstock.store.purging import SqlPurgeStore
from penstock.store.queries import SqlExecutionQueries
from penstock.store.schema import prepare_txn
from penstock.store.secrets import SqlSecretStore
from penstock.store.settings import SqlSettingsStore
from penstock.store.sizes import SqlSizeStore
from penstock.store.sqlite import SqliteDatabase
from penstock.store.suite_results import SqlSuiteResultStore
from penstock.store.switches import SqlSwitchStore
from penstock.store.task_cache import SqlTaskCache
from penstock.store.templates import SqlTemplateStore
from penstock.store.time_limit import LIST_SECONDS, TimeLimited
from penstock.store.tokens import SqlTokenStore
from penstock.store.triggers import SqlTriggerStore
from penstock.store.waiting import SqlWaitReads

SYSTEM_NAMESPACE = "system"


class StoreNotifier(Notifier, Protocol):
    """A notifier that belongs to a store."""

    async def close(self) -> None:
        """Let go of its connections."""
        ...


@dataclass(frozen=True, slots=True)
class Store:
    """All stores of one database. Close it when done."""

    database: Database
    journal: SqlJournal
    jobs: SqlJobQueue
    queries: SqlExecutionQueries
    flows: SqlFlowStore
    triggers: SqlTriggerStore
    evaluations: SqlEvaluationStore
    key_values: SqlKeyValueStore
    task_cache: SqlTaskCache
    namespaces: SqlNamespaceStore
    templates: SqlTemplateStore
    dashboards: SqlDashboardStore
    assets: SqlAssetStore
    documents: SqlDocumentStore
    suite_results: SqlSuiteResultStore
    charts: SqlChartReads
    secrets: SqlSecretStore
    settings: SqlSettingsStore
    tokens: SqlTokenStore
    preferences: SqlPreferenceStore
    drafts: SqlDraftStore
    switches: SqlSwitchStore
    purging: SqlPurgeStore
    sizes: SqlSizeStore
    counts: SqlCounts
    waiting: SqlWaitReads
    depths: SqlQueueDepths
    notifier: StoreNotifier
    _temporary: tempfile.TemporaryDirectory[str] | None = None

    async def close(self) -> None:
        """Finish what was handed in and let go of the database."""
        await self.notifier.close()
        await self.database.close()
        if self._temporary is not None:
            self._temporary.cleanup()


async def open_store(
    url: str,
    clock: Clock,
    *,
    connections: int | None = None,
    system_namespace: str = SYSTEM_NAMESPACE,
    list_seconds: float = LIST_SECONDS,
) -> Store:
    """Open the database at an address and make it ready when it is empty. Implements OPS-016 to OPS-018 on our side.

    Args:
        url: `sqlite:////path/file.db`, `sqlite://` (kept until the process ends) or `postgresql://user:pw@host/db`.
        clock: Where the stores read the time that no caller hands in.
        connections: How many connections to PostgreSQL there may be; as many as its module says by default.
        system_namespace: The namespace whose executions and flows count as the system's own.
        list_seconds: How long a list or a chart may take the database.

    Raises:
        InvalidRequestError: The address is none of these.
        UnavailableError: The database does not answer or is locked.
        SchemaMismatch: The database is older or newer than this release.
    """
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except ArgumentError as error:
        raise _unknown("the database's address is not a URL") from error
    temporary = None
    database: Database
    notifier: StoreNotifier
    if backend == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            temporary = tempfile.TemporaryDirectory(prefix="penstock-")
        path = Path(temporary.name) / "memory.db" if temporary else Path(parsed.database or "")
        database = SqliteDatabase(path, durable=temporary is None)
        notifier = LocalNotifier()
    elif backend == "postgresql":
        # Its driver is slow to import, and most start without it.
        from penstock.store.postgres import CONNECTIONS, PostgresDatabase, conninfo
        from penstock.store.postgres_notifier import PostgresNotifier

        database = PostgresDatabase(url, connections=connections or CONNECTIONS)
        notifier = PostgresNotifier(conninfo(url))
    else:
        raise _unknown(f"`{backend}` is not a database Penstock knows")
    try:
        await database.write(lambda connection: prepare_txn(connection, database.name))
    except BaseException:
        await database.close()
        raise
    return store_on(database, notifier, system_namespace, temporary, list_seconds)


def store_on(
    database: Database,
    notifier: StoreNotifier,
    system_namespace: str = SYSTEM_NAMESPACE,
    temporary: tempfile.TemporaryDirectory[str] | None = None,
    list_seconds: float = LIST_SECONDS,
) -> Store:
    """Return the stores of a database that is ready.

    Args:
        database: The database.
        notifier: Its wake-ups.
        system_namespace: The namespace whose executions and flows count as the system's own.
        temporary: The folder it lies in, if that is to go with it.
        list_seconds: How long a list or a chart may take the database.
    """
    lists = TimeLimited(database, list_seconds)
    return Store(
        database=database,
        journal=SqlJournal(database),
        jobs=SqlJobQueue(database),
        queries=SqlExecutionQueries(lists, system_namespace),
        flows=SqlFlowStore(database, system_namespace),
        triggers=SqlTriggerStore(lists, system_namespace),
        evaluations=SqlEvaluationStore(database),
        key_values=SqlKeyValueStore(database),
        task_cache=SqlTaskCache(database),
        namespaces=SqlNamespaceStore(database),
        templates=SqlTemplateStore(database),
        dashboards=SqlDashboardStore(database),
        assets=SqlAssetStore(lists),
        documents=SqlDocumentStore(database),
        suite_results=SqlSuiteResultStore(lists),
        charts=SqlChartReads(lists, system_namespace),
        secrets=SqlSecretStore(database),
        settings=SqlSettingsStore(database),
        tokens=SqlTokenStore(database),
        preferences=SqlPreferenceStore(database),
        drafts=SqlDraftStore(database),
        switches=SqlSwitchStore(database),
        purging=SqlPurgeStore(database, system_namespace),
        sizes=SqlSizeStore(database, system_namespace),
        counts=SqlCounts(database),
        waiting=SqlWaitReads(database),
        depths=SqlQueueDepths(database),
        notifier=notifier,
        _temporary=temporary,
    )


def _unknown(message: str) -> InvalidRequestError:
    return InvalidRequestError(
        message, hint="write sqlite:////path/to/file.db or postgresql://user:password@host/database"
    )
