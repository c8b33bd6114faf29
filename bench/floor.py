"""The floor: the same number of durable commits without Penstock, on the same disk, in the same run."""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path

COMMITS_PER_EXECUTION = 6
"""What a plain engine commits for two tasks: created, two starts, two ends, ended."""


def sqlite_floor(folder: Path, seconds: float = 3.0) -> float:
    """Return executions per minute of a loop that commits six small rows, each durably, per execution."""
    connection = sqlite3.connect(folder / "floor.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS state (id INTEGER PRIMARY KEY, execution INTEGER, body TEXT)")
    body = "x" * 200
    executions = 0
    started = time.perf_counter()
    while time.perf_counter() - started < seconds:
        for _ in range(COMMITS_PER_EXECUTION):
            connection.execute("INSERT INTO state (execution, body) VALUES (?, ?)", (executions, body))
        executions += 1
    elapsed = time.perf_counter() - started
    connection.close()
    return executions / elapsed * 60


def postgres_floor(url: str, seconds: float = 3.0, connections: int = 16) -> float:
    """Return executions per minute of as many connections, each committing six small rows per execution."""
    import psycopg

    dsn = url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS floor_state (id bigserial PRIMARY KEY, execution int, body text)"
        )
    counts = [0] * connections
    deadline = time.perf_counter() + seconds

    def work(index: int) -> None:
        body = "x" * 200
        with psycopg.connect(dsn, autocommit=True) as connection:
            while time.perf_counter() < deadline:
                for _ in range(COMMITS_PER_EXECUTION):
                    connection.execute(
                        "INSERT INTO floor_state (execution, body) VALUES (%s, %s)", (counts[index], body)
                    )
                counts[index] += 1

    threads = [threading.Thread(target=work, args=(index,)) for index in range(connections)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - started
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("DROP TABLE floor_state")
    return sum(counts) / elapsed * 60
