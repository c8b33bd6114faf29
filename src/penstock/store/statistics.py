"""What SQLite's planner should believe about the tables, from the first row on.

SQLite plans by statistics that only ANALYZE gathers; without them it takes a condition on the tenant for a choosy one
and walks through all executions. Figures of a well-used database are given once instead: they hold for every size that
matters, and no server has to stop to analyse. (PostgreSQL gathers its own.)
"""

from __future__ import annotations

from sqlalchemy import Connection

_SHAPES = (
    # table, index, rows in all, then rows per value of the first column, of the first two, ...
    ("executions", "sqlite_autoindex_executions_1", "1000000 1"),
    ("executions", "executions_by_date", "1000000 1000000 2"),
    ("executions", "executions_by_flow", "1000000 1000000 50000 5000 2"),
    ("executions", "executions_ended", "999000 999000 200000 2"),
    ("executions", "executions_by_end", "999000 999000 2"),
    ("executions", "executions_open", "1000 1000 300 2"),
    ("executions", "executions_live", "1000 16 1"),
    ("executions", "executions_by_firing", "100000 1"),
    ("executions", "executions_by_parent", "100000 10"),
    ("executions", "executions_by_trigger_execution", "100000 10"),
    ("execution_counts", "execution_counts", "500000 500000 300 60 2 2 1 1"),
    ("execution_counts", "execution_counts_by_flow", "500000 500000 25000 2500 2"),
    ("execution_labels", "execution_labels", "2000000 2 1"),
    ("execution_labels", "execution_labels_by_value", "2000000 100000 20 1"),
    ("logs", "logs_by_execution", "10000000 10 1"),
    ("logs", "logs_by_date", "10000000 10000000 2"),
    ("logs", "logs_grave", "100000 100000 2"),
    ("metrics", "metrics_by_execution", "2000000 4"),
    ("metrics", "metrics_by_date", "2000000 2000000 2"),
)


def give_statistics_txn(connection: Connection) -> None:
    """Tell SQLite's planner the shapes; connections opened later plan by them."""
    if connection.dialect.name != "sqlite":
        return
    connection.exec_driver_sql("ANALYZE sqlite_schema")  # makes the table of statistics when there is none
    known = connection.exec_driver_sql("SELECT tbl, idx, stat FROM sqlite_stat1").all()
    if sorted(map(tuple, known)) == sorted(_SHAPES):
        return
    connection.exec_driver_sql("DELETE FROM sqlite_stat1")
    connection.exec_driver_sql("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)", list(_SHAPES))
