"""What the database holds: the tables and indexes, the same on SQLite and PostgreSQL.

Heads that people filter by are columns; the rest of a record is one JSON text per rhythm of change: what is set at
birth is written once, what changes is written by every update. Identifiers compare by code point on both databases
(collation "C"), so that pages and prefixes agree.

A change here is a change of the schema: it needs a migration in `migrations/versions`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects import postgresql

METADATA = MetaData()

NAME = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
"""Identifiers and everything else that is compared."""
BODY = Text()
"""JSON and prose."""
SERIAL = BigInteger().with_variant(Integer, "sqlite")
"""A number the database counts up; SQLite counts only columns declared INTEGER."""

# Rows that come and go by the thousand: vacuum by number, not by share of the table.
_CHURN = {"autovacuum_vacuum_scale_factor": 0, "autovacuum_vacuum_threshold": 5000, "autovacuum_vacuum_cost_delay": 0}

EXECUTIONS = Table(
    "executions",
    METADATA,
    Column("id", NAME, primary_key=True),
    Column("tenant", NAME, nullable=False),
    Column("namespace", NAME, nullable=False),
    Column("flow_id", NAME, nullable=False),
    Column("flow_revision", Integer, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("start_date", BigInteger, nullable=False),
    Column("partition", SmallInteger, nullable=False),
    Column("original_id", NAME, nullable=False),
    Column("parent_execution_id", NAME),
    Column("trigger_id", NAME),
    Column("trigger_execution_id", NAME),
    Column("schedule_date", BigInteger),
    Column("kind", NAME, nullable=False),
    Column("firing_key", NAME),
    Column("birth", BODY, nullable=False),
    # changing
    Column("state", NAME, nullable=False),
    Column("end_date", BigInteger),
    Column("live", Boolean, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("labels", BODY, nullable=False),
    Column("progress", BODY, nullable=False),
    # large: behind all that lists read, so that neither database touches them then
    Column("received", BODY),
    Column("produced", BODY),
    postgresql_with={"fillfactor": 70},
)
Index("executions_by_date", EXECUTIONS.c.tenant, EXECUTIONS.c.start_date)
Index(
    "executions_by_flow",
    EXECUTIONS.c.tenant,
    EXECUTIONS.c.namespace,
    EXECUTIONS.c.flow_id,
    EXECUTIONS.c.start_date,
)
# Two indexes by state: the ended ones enter theirs once, and the few that are open move through a small one.
Index(
    "executions_ended",
    EXECUTIONS.c.tenant,
    EXECUTIONS.c.state,
    EXECUTIONS.c.start_date,
    sqlite_where=text("end_date IS NOT NULL"),
    postgresql_where=text("end_date IS NOT NULL"),
)
Index(
    "executions_open",
    EXECUTIONS.c.tenant,
    EXECUTIONS.c.state,
    EXECUTIONS.c.start_date,
    sqlite_where=text("end_date IS NULL"),
    postgresql_where=text("end_date IS NULL"),
)
Index(
    "executions_by_end",
    EXECUTIONS.c.tenant,
    EXECUTIONS.c.end_date,
    sqlite_where=text("end_date IS NOT NULL"),
    postgresql_where=text("end_date IS NOT NULL"),
)
# SQLite looks for an index's condition word by word, and SQLAlchemy says `= 1` there.
Index(
    "executions_live",
    EXECUTIONS.c.partition,
    EXECUTIONS.c.id,
    sqlite_where=text("live = 1"),
    postgresql_where=text("live"),
)
Index(
    "executions_by_firing",
    EXECUTIONS.c.firing_key,
    unique=True,
    sqlite_where=text("firing_key IS NOT NULL"),
    postgresql_where=text("firing_key IS NOT NULL"),
)
Index(
    "executions_by_parent",
    EXECUTIONS.c.parent_execution_id,
    sqlite_where=text("parent_execution_id IS NOT NULL"),
    postgresql_where=text("parent_execution_id IS NOT NULL"),
)
Index(
    "executions_by_trigger_execution",
    EXECUTIONS.c.trigger_execution_id,
    sqlite_where=text("trigger_execution_id IS NOT NULL"),
    postgresql_where=text("trigger_execution_id IS NOT NULL"),
)

EXECUTION_LABELS = Table(
    "execution_labels",
    METADATA,
    Column("execution_id", NAME, nullable=False),
    Column("key", NAME, nullable=False),
    Column("value", NAME, nullable=False),
    PrimaryKeyConstraint("execution_id", "key"),
    sqlite_with_rowid=False,
)
Index("execution_labels_by_value", EXECUTION_LABELS.c.key, EXECUTION_LABELS.c.value)

EXECUTION_COUNTS = Table(
    "execution_counts",
    METADATA,
    Column("tenant", NAME, nullable=False),
    Column("hour", BigInteger, nullable=False),
    Column("namespace", NAME, nullable=False),
    Column("flow_id", NAME, nullable=False),
    Column("kind", NAME, nullable=False),
    Column("state", NAME, nullable=False),
    Column("share", SmallInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("duration", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant", "hour", "namespace", "flow_id", "kind", "state", "share"),
    sqlite_with_rowid=False,
    postgresql_with=_CHURN | {"fillfactor": 50},
)
Index(
    "execution_counts_by_flow",
    EXECUTION_COUNTS.c.tenant,
    EXECUTION_COUNTS.c.namespace,
    EXECUTION_COUNTS.c.flow_id,
    EXECUTION_COUNTS.c.hour,
)

TASK_RUNS = Table(
    "task_runs",
    METADATA,
    Column("execution_id", NAME, nullable=False),
    Column("id", NAME, nullable=False),
    Column("task_id", NAME, nullable=False),
    Column("parent_id", NAME),
    Column("value", BODY),
    Column("iteration", Integer),
    Column("items", BODY),
    Column("sequence", Integer, nullable=False),
    Column("dynamic", Boolean, nullable=False),
    # changing
    Column("state", NAME, nullable=False),
    Column("progress", BODY, nullable=False),
    PrimaryKeyConstraint("execution_id", "id"),
    postgresql_with={"fillfactor": 80},
)

JOBS = Table(
    "jobs",
    METADATA,
    Column("task_run_id", NAME, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("execution_id", NAME, nullable=False),
    Column("worker_group", NAME, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("owner", NAME),
    Column("body", BODY, nullable=False),
    Column("turn", BigInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("task_run_id", "attempt"),
    sqlite_with_rowid=False,
    postgresql_with=_CHURN | {"fillfactor": 70},
)
Index(
    "jobs_waiting",
    JOBS.c.worker_group,
    JOBS.c.priority.desc(),
    JOBS.c.turn,
    sqlite_where=text("owner IS NULL"),
    postgresql_where=text("owner IS NULL"),
)

TIMERS = Table(
    "timers",
    METADATA,
    Column("execution_id", NAME, nullable=False),
    Column("purpose", NAME, nullable=False),
    Column("task_run_id", NAME, nullable=False),  # empty: of the execution itself; a key column cannot be null
    Column("attempt", Integer, nullable=False),
    Column("partition", SmallInteger, nullable=False),
    Column("due", BigInteger, nullable=False),
    PrimaryKeyConstraint("execution_id", "purpose", "task_run_id"),
    sqlite_with_rowid=False,
    postgresql_with=_CHURN,
)
Index("timers_by_due", TIMERS.c.due)

MESSAGES = Table(
    "messages",
    METADATA,
    Column("id", SERIAL, primary_key=True, autoincrement=True),
    Column("partition", SmallInteger, nullable=False),
    Column("execution_id", NAME, nullable=False),
    Column("event", BODY, nullable=False),
    sqlite_autoincrement=True,
    postgresql_with=_CHURN,
)

PARTITIONS_TABLE = Table(
    "partitions",
    METADATA,
    Column("partition", SmallInteger, primary_key=True, autoincrement=False),
    Column("owner", NAME),
    Column("token", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    postgresql_with={"fillfactor": 20},
)

EXECUTORS = Table(
    "executors",
    METADATA,
    Column("id", NAME, primary_key=True),
    Column("expires", BigInteger, nullable=False),
)

WORKERS = Table(
    "workers",
    METADATA,
    Column("id", NAME, primary_key=True),
    Column("worker_group", NAME, nullable=False),
    Column("hostname", NAME, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("heartbeat", BigInteger, nullable=False),
    Column("state", NAME, nullable=False),
    Column("is_remote", Boolean, nullable=True),
)

LOGS = Table(
    "logs",
    METADATA,
    Column("id", SERIAL, primary_key=True, autoincrement=True),
    Column("tenant", NAME, nullable=False),
    Column("namespace", NAME, nullable=False),
    Column("flow_id", NAME, nullable=False),
    Column("execution_id", NAME),
    Column("task_id", NAME),
    Column("task_run_id", NAME),
    Column("attempt", Integer),
    Column("trigger_id", NAME),
    Column("date", BigInteger, nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("thread", BODY),
    Column("kind", NAME, nullable=False),
    Column("message", BODY, nullable=False),
    sqlite_autoincrement=True,  # a follower's position must never be given out twice
)
Index("logs_by_execution", LOGS.c.execution_id, LOGS.c.id)
Index("logs_by_date", LOGS.c.tenant, LOGS.c.date)
# Warnings and errors, which are few among millions and asked for by themselves.
Index(
    "logs_grave",
    LOGS.c.tenant,
    LOGS.c.date,
    sqlite_where=text("level >= 4"),
    postgresql_where=text("level >= 4"),
)

METRICS = Table(
    "metrics",
    METADATA,
    Column("id", SERIAL, primary_key=True, autoincrement=True),
    Column("tenant", NAME, nullable=False),
    Column("namespace", NAME, nullable=False),
    Column("flow_id", NAME, nullable=False),
    Column("execution_id", NAME, nullable=False),
    Column("task_id", NAME, nullable=False),
    Column("task_run_id", NAME, nullable=False),
    Column("type", NAME, nullable=False),
    Column("name", NAME, nullable=False),
    Column("value", Double, nullable=False),
    Column("date", BigInteger, nullable=False),
    Column("tags", BODY, nullable=False),
    Column("kind", NAME, nullable=False),
)
Index("metrics_by_execution", METRICS.c.execution_id)
Index("metrics_by_date", METRICS.c.tenant, METRICS.c.date)

FLOWS = Table(
    "flows",
    METADATA,
    Column("tenant", NAME, nullable=False),
    Column("namespace", NAME, nullable=False),
    Column("id", NAME, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("latest", Boolean, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("has_triggers", Boolean, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("description", BODY),
    Column("labels", BODY, nullable=False),
    Column("source", BODY, nullable=False),
    Column("author", NAME),
    Column("way", NAME),
    PrimaryKeyConstraint("tenant", "namespace", "id", "revision"),
)
Index(
    "flows_latest",
    FLOWS.c.tenant,
    FLOWS.c.namespace,
    FLOWS.c.id,
    unique=True,
    sqlite_where=text("latest = 1"),
    postgresql_where=text("latest"),
)

TRIGGER_STATES = Table(
    "trigger_states",
    METADATA,
    Column("tenant", NAME, nullable=False),
    Column("namespace", NAME, nullable=False),
    Column("flow_id", NAME, nullable=False),
    Column("trigger_id", NAME, nullable=False),
    Column("type", NAME, nullable=False),
    Column("date", BigInteger),
    Column("next_date", BigInteger),
    Column("disabled", Boolean, nullable=False),
    Column("execution_id", NAME),
    Column("body", BODY, nullable=False),
    PrimaryKeyConstraint("tenant", "namespace", "flow_id", "trigger_id"),
    postgresql_with={"fillfactor": 70},
)

KEY_VALUES = Table(
    "key_values",
    METADATA,
    Column("tenant", NAME, nullable=False),
    Column("namespace", NAME, nullable=False),
    Column("key", NAME, nullable=False),
    Column("type", NAME, nullable=False),
    Column("value", BODY, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("expires", BigInteger),
    Column("description", BODY),
    PrimaryKeyConstraint("tenant", "namespace", "key"),
)

SECRETS = Table(
    "secrets",
    METADATA,
    Column("tenant", NAME, nullable=False),
    Column("namespace", NAME, nullable=False),
    Column("key", NAME, nullable=False),
    Column("sealed", BODY, nullable=False),
    Column("description", BODY),
    Column("tags", BODY, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant", "namespace", "key"),
)

TASK_CACHE = Table(
    "task_cache",
    METADATA,
    Column("tenant", NAME, nullable=False),
    Column("namespace", NAME, nullable=False),
    Column("flow_id", NAME, nullable=False),
    Column("task_id", NAME, nullable=False),
    Column("digest", NAME, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger),
    Column("outputs", BODY, nullable=False),
    PrimaryKeyConstraint("tenant", "namespace", "flow_id", "task_id", "digest"),
)
Index("task_cache_by_expiry", TASK_CACHE.c.expires)

SETTINGS = Table(
    "settings",
    METADATA,
    Column("key", NAME, primary_key=True),
    Column("value", BODY, nullable=False),
)

NAMESPACES = Table(
    "namespaces",
    METADATA,
    Column("tenant", NAME, nullable=False),
    Column("id", NAME, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("body", BODY, nullable=False),
    PrimaryKeyConstraint("tenant", "id"),
)

TEMPLATES = Table(
    "templates",
    METADATA,
    Column("tenant", NAME, nullable=False),
    Column("namespace", NAME, nullable=False),
    Column("id", NAME, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("source", BODY, nullable=False),
    PrimaryKeyConstraint("tenant", "namespace", "id", "revision"),
)

DASHBOARDS = Table(
    "dashboards",
    METADATA,
    Column("tenant", NAME, nullable=False),
    Column("id", NAME, nullable=False),
    Column("title", BODY, nullable=False),
    Column("description", BODY),
    Column("source", BODY, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant", "id"),
)

DOCUMENTS = Table(
    "documents",
    METADATA,
    Column("tenant", NAME, nullable=False),
    Column("kind", NAME, nullable=False),
    Column("namespace", NAME, nullable=False),
    Column("id", NAME, nullable=False),
    Column("source", BODY, nullable=False),
    Column("about", BODY, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant", "kind", "namespace", "id"),
)

SUITE_RESULTS = Table(
    "suite_results",
    METADATA,
    Column("tenant", NAME, nullable=False),
    Column("id", NAME, nullable=False),
    Column("namespace", NAME, nullable=False),
    Column("flow_id", NAME, nullable=False),
    Column("suite_id", NAME, nullable=False),
    Column("state", NAME, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("ended", BigInteger, nullable=False),
    Column("cases", BODY, nullable=False),
    PrimaryKeyConstraint("tenant", "id"),
)
Index(
    "suite_results_by_suite",
    SUITE_RESULTS.c.tenant,
    SUITE_RESULTS.c.namespace,
    SUITE_RESULTS.c.suite_id,
    SUITE_RESULTS.c.ended,
)

ASSETS = Table(
    "assets",
    METADATA,
    Column("tenant", NAME, nullable=False),
    Column("id", NAME, nullable=False),
    Column("type", NAME, nullable=False),
    Column("namespace", NAME, nullable=False),
    Column("display_name", BODY),
    Column("description", BODY),
    Column("metadata", BODY, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("deleted", Boolean, nullable=False),
    PrimaryKeyConstraint("tenant", "id"),
)

ASSET_USES = Table(
    "asset_uses",
    METADATA,
    Column("tenant", NAME, nullable=False),
    Column("asset_id", NAME, nullable=False),
    Column("namespace", NAME, nullable=False),
    Column("flow_id", NAME, nullable=False),
    Column("flow_revision", Integer, nullable=False),
    Column("execution_id", NAME, nullable=False),
    Column("task_id", NAME, nullable=False),
    Column("task_run_id", NAME, nullable=False),
    Column("is_output", Boolean, nullable=False),
    Column("created", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant", "asset_id", "task_run_id", "is_output"),
)
Index("asset_uses_by_task_run", ASSET_USES.c.tenant, ASSET_USES.c.task_run_id)
Index("asset_uses_by_date", ASSET_USES.c.tenant, ASSET_USES.c.created)

ASSET_EVENTS = Table(
    "asset_events",
    METADATA,
    Column("tenant", NAME, nullable=False),
    Column("task_run_id", NAME, nullable=False),
    Column("namespace", NAME, nullable=False),
    Column("flow_id", NAME, nullable=False),
    Column("flow_revision", Integer, nullable=False),
    Column("execution_id", NAME, nullable=False),
    Column("task_id", NAME, nullable=False),
    Column("state", NAME, nullable=False),
    Column("inputs", BODY, nullable=False),
    Column("outputs", BODY, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("ended", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant", "task_run_id"),
)
Index("asset_events_by_date", ASSET_EVENTS.c.tenant, ASSET_EVENTS.c.created)

API_TOKENS = Table(
    "api_tokens",
    METADATA,
    Column("id", NAME, primary_key=True),
    Column("username", NAME, nullable=False),
    Column("name", NAME, nullable=False),
    Column("description", BODY),
    Column("prefix", NAME, nullable=False),
    Column("digest", NAME, nullable=False, unique=True),
    Column("created", BigInteger, nullable=False),
    Column("max_age", BigInteger),
    Column("expires", BigInteger),
    Column("extended", Boolean, nullable=False),
    Column("last_used", BigInteger),
    UniqueConstraint("username", "name"),
)

PREFERENCES = Table(
    "preferences",
    METADATA,
    Column("username", NAME, nullable=False),
    Column("name", NAME, nullable=False),
    Column("value", BODY, nullable=False),
    PrimaryKeyConstraint("username", "name"),
)

DRAFTS = Table(
    "drafts",
    METADATA,
    Column("username", NAME, nullable=False),
    Column("name", NAME, nullable=False),
    Column("version", NAME, nullable=False),
    Column("source", BODY, nullable=False),
    Column("revision", Integer, nullable=True),
    Column("updated", BigInteger, nullable=False),
    PrimaryKeyConstraint("username", "name"),
)

SWITCHES = Table(
    "switches",
    METADATA,
    Column("tenant", NAME, nullable=False),
    Column("namespace", NAME, nullable=False),
    Column("flow_id", NAME, nullable=False),
    Column("trigger_id", NAME, nullable=False),
    Column("state", NAME, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=True),
    Column("username", NAME, nullable=True),
    Column("reason", BODY, nullable=True),
    PrimaryKeyConstraint("tenant", "namespace", "flow_id", "trigger_id"),
)

BOOKMARKS = Table(
    "bookmarks",
    METADATA,
    Column("id", NAME, primary_key=True),
    Column("username", NAME, nullable=False),
    Column("name", BODY, nullable=False),
    Column("path", BODY, nullable=False),
    Column("created", BigInteger, nullable=False),
    UniqueConstraint("username", "path"),
)
